// A CoreDNS with the plugins that kubeadm's Corefile names: `go build -o coredns .` in a module
// that requires github.com/coredns/coredns v1.14.7.
package main

import (
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"

	"github.com/coredns/coredns/coremain"
)

func main() { coremain.Run() }
