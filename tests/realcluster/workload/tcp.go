package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// start listens on port and serves it by the server of that name.
func start(name, port string) error {
	if name == "http" {
		return startHTTP(port)
	}
	if name == "udp-echo" {
		return startUDPEcho(port)
	}
	serve, known := map[string]func(*net.TCPConn){"echo": echo, "sink": sink, "source": source, "greeter": greeter}[name]
	if !known {
		return fmt.Errorf("no server is called %q", name)
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				continue
			}
			go func() {
				defer connection.Close()
				serve(connection.(*net.TCPConn))
			}()
		}
	}()
	return nil
}

// echo ends its own direction when the client ended the other.
func echo(c *net.TCPConn) {
	io.Copy(c, c)
	c.CloseWrite()
}

// sink reads all there is and then says how much that was.
func sink(c *net.TCPConn) {
	n, _ := io.Copy(io.Discard, c)
	fmt.Fprintln(c, n)
}

// source sends as many bytes as the number on the client's first line says; without one it sends without end.
func source(c *net.TCPConn) {
	wanted := int64(1 << 62)
	c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if line, err := bufio.NewReader(c).ReadString('\n'); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
			wanted = n
		}
	}
	writePattern(c, wanted)
}

// greeter speaks first, as mail and database servers do.
func greeter(c *net.TCPConn) {
	if _, err := io.WriteString(c, "220 greeter ready\r\n"); err == nil {
		echo(c)
	}
}

func startUDPEcho(port string) error {
	socket, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			if n, from, err := socket.ReadFrom(buffer); err == nil {
				socket.WriteTo(buffer[:n], from)
			}
		}
	}()
	return nil
}
