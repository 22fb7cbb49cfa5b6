//go:build ignore

// What main.go needs of kube-proxy's package; goes into a copy of it, without the first line.
package iptables

import (
	"bytes"
	"net"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/proxy"
	"k8s.io/kubernetes/pkg/proxy/conntrack"
	"k8s.io/kubernetes/pkg/proxy/healthcheck"
	"k8s.io/kubernetes/pkg/proxy/metrics"
	"k8s.io/kubernetes/pkg/proxy/runner"
	proxyutil "k8s.io/kubernetes/pkg/proxy/util"
	utiliptables "k8s.io/kubernetes/pkg/util/iptables"
)

// XConfig is what a case says about the proxy.
type XConfig struct {
	NodeName, Mark                             string
	NodeIP                                     net.IP
	Zone                                       map[string]string
	MasqueradeAll, LocalhostNodePorts, Liberal bool
	Counters                                   bool
	Local                                      proxyutil.LocalTrafficDetector
	NodePortAddresses                          []string
	Network                                    proxyutil.NetworkInterfacer
}

// XNew makes a proxy that can sync at once and never syncs by itself.
func XNew(ipt utiliptables.Interface, family v1.IPFamily, c XConfig) *Proxier {
	addresses := proxyutil.NewNodePortAddresses(family, c.NodePortAddresses)
	p := &Proxier{
		ipFamily:                 family,
		svcPortMap:               make(proxy.ServicePortMap),
		serviceChanges:           proxy.NewServiceChangeTracker(family, newServiceInfo, nil),
		endpointsMap:             make(proxy.EndpointsMap),
		endpointsChanges:         proxy.NewEndpointsChangeTracker(family, c.NodeName, newEndpointInfo, nil),
		needFullSync:             true,
		syncPeriod:               30 * time.Second,
		iptables:                 ipt,
		masqueradeAll:            c.MasqueradeAll,
		masqueradeMark:           c.Mark,
		conntrack:                conntrack.NewFake(),
		localDetector:            c.Local,
		nodeName:                 c.NodeName,
		nodeIP:                   c.NodeIP,
		topologyLabels:           c.Zone,
		serviceHealthServer:      healthcheck.NewFakeServiceHealthServer(),
		precomputedProbabilities: make([]string, 0, 1001),
		iptablesData:             bytes.NewBuffer(nil),
		existingFilterChainsData: bytes.NewBuffer(nil),
		filterChains:             proxyutil.NewLineBuffer(),
		filterRules:              proxyutil.NewLineBuffer(),
		natChains:                proxyutil.NewLineBuffer(),
		natRules:                 proxyutil.NewLineBuffer(),
		localhostNodePorts:       c.LocalhostNodePorts && addresses.ContainsIPv4Loopback(),
		nodePortAddresses:        addresses,
		networkInterfacer:        c.Network,
		conntrackTCPLiberal:      c.Liberal,
		nfAcctCounters: map[string]bool{
			metrics.IPTablesCTStateInvalidDroppedNFAcctCounter: c.Counters,
			metrics.LocalhostNodePortAcceptedNFAcctCounter:     c.Counters,
		},
	}
	p.setInitialized(true)
	p.syncRunner = runner.NewBoundedFrequencyRunner("record", func() error { return nil }, 0, time.Hour, time.Hour)
	return p
}

// XSync syncs, and answers what iptables-restore was given.
func (proxier *Proxier) XSync() string {
	if err := proxier.syncProxyRules(); err != nil {
		panic(err)
	}
	return proxier.iptablesData.String()
}
