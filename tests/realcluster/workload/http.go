package main

import (
	"crypto/sha256"
	"encoding/binary"
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

// writePattern sends n bytes in which every eight tell their own offset, so that nothing can be lost or swapped unseen.
func writePattern(w io.Writer, n int64) error {
	block := make([]byte, 64<<10)
	for offset := int64(0); offset < n; {
		size := min(int64(len(block)), n-offset)
		for i := int64(0); i < size; i += 8 {
			binary.BigEndian.PutUint64(block[i:], uint64(offset+i))
		}
		if _, err := w.Write(block[:size]); err != nil {
			return err
		}
		offset += size
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
	// The SHA-256 of what /big sends, told without sending it.
	pages.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		hash := sha256.New()
		writePattern(hash, number(r, "bytes", 1<<20))
		fmt.Fprintf(w, "%x\n", hash.Sum(nil))
	})
	pages.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		hash := sha256.New()
		if _, err := io.Copy(hash, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%x\n", hash.Sum(nil))
	})
	pages.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(number(r, "ms", 1000)) * time.Millisecond)
		io.WriteString(w, "done\n")
	})
	pages.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(int(min(max(number(r, "code", 418), 200), 599)))
	})
	// A line of 1000 bytes every 10 ms, and a last one that says it was all.
	pages.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		line := fmt.Sprintf("%999s\n", "")
		for end := time.Now().Add(time.Duration(number(r, "seconds", 1)) * time.Second); time.Now().Before(end); {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
			http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
		io.WriteString(w, "end of stream\n")
	})
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	go func() { log.Fatal(http.Serve(listener, pages)) }()
	return nil
}
