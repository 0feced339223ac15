// Workload plays every server of the test cluster from one static binary:
//
//	workload pause                 holds a pod's namespaces (the sandbox image)
//	workload crash                 fails a second after it started
//	workload serve [name=port,..]  runs the named servers until it is told to stop
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	command := "pause" // a sandbox is started without arguments
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	switch command {
	case "pause":
		reapUntilTold()
	case "crash":
		fmt.Println("crash: cannot open orders.db: no such file")
		time.Sleep(time.Second)
		os.Exit(1)
	case "serve":
		for _, word := range os.Args[2:] {
			name, port, _ := strings.Cut(word, "=")
			if err := start(name, port); err != nil {
				fmt.Fprintln(os.Stderr, "serve:", err)
				os.Exit(1)
			}
			fmt.Println("serving", name, "on", port)
		}
		told := make(chan os.Signal, 1)
		signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
		<-told
	default:
		fmt.Fprintln(os.Stderr, "workload: no such command:", command)
		os.Exit(2)
	}
}

// reapUntilTold is what the first process of a pod owes the others: it collects the orphans.
func reapUntilTold() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for pid := 1; pid > 0; {
			pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}
}
