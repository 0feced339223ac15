package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

var pod, _ = os.Hostname()

// pattern is what long answers repeat; the simulated cluster's pods send the same.
var pattern = func() (block [64 << 10]byte) {
	for i := range block {
		block[i] = byte('a' + i%26)
	}
	return
}()

func writePattern(w io.Writer, n int64) error {
	for n > 0 {
		sent, err := w.Write(pattern[:min(n, int64(len(pattern)))])
		if err != nil {
			return err
		}
		n -= int64(sent)
	}
	return nil
}

// number is a query parameter, or what stands in for it.
func number(r *http.Request, name string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

func startHTTP(port string) error {
	pages := http.NewServeMux()
	pages.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "pod %s port %s\n", pod, port)
	})
	pages.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok\n") })
	pages.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		io.Copy(w, r.Body)
	})
	pages.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		n := number(r, "bytes", 1<<20)
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		writePattern(w, n)
	})
	// The size and SHA-256 of what was sent.
	pages.HandleFunc("POST /sum", func(w http.ResponseWriter, r *http.Request) {
		hash := sha256.New()
		n, err := io.Copy(hash, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%d %x\n", n, hash.Sum(nil))
	})
	// A line after so many milliseconds, as often as asked.
	pages.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		for part := range max(number(r, "parts", 1), 1) {
			time.Sleep(time.Duration(number(r, "ms", 1000)) * time.Millisecond)
			fmt.Fprintf(w, "%s: part (%d)\n", pod, part+1)
			http.NewResponseController(w).Flush()
		}
	})
	pages.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(int(min(max(number(r, "code", 418), 200), 599)))
	})
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	go func() { log.Fatal(http.Serve(listener, pages)) }()
	return nil
}
