// What the real kube-proxy makes of cases: for each file of the form {"input": ...} the same
// file with "expected" beside it.
//
// The proxy does not export what is needed: put export.go, beside this file, into a copy of
// k8s.io/kubernetes/pkg/proxy/iptables and let go.mod replace k8s.io/kubernetes with that copy.
package main

import (
	"encoding/json"
	"net"
	"os"
	"sort"
	"strings"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/kubernetes/pkg/proxy/iptables"
	proxyutil "k8s.io/kubernetes/pkg/proxy/util"
	proxyutiltest "k8s.io/kubernetes/pkg/proxy/util/testing"
	utiliptables "k8s.io/kubernetes/pkg/util/iptables"
	iptest "k8s.io/kubernetes/pkg/util/iptables/testing"
)

type objects struct {
	Services       []*v1.Service
	EndpointSlices []*discovery.EndpointSlice
}

// A step changes objects, and then the proxy syncs again.
type step struct {
	objects
	Deleted objects
}

type options struct {
	MasqueradeAll, Liberal, NoLocalhost, NoCounters, RandomFully bool
	Local                                                        string
	NodePortAddresses                                            []string
}

type input struct {
	objects
	Packets []struct {
		Src, Dst, Proto string
		Port            int
	}
	Zone, Family string
	Options      options
	Steps        []step
}

type flow struct {
	Output string `json:"output"`
	Masq   bool   `json:"masq"`
}

type expected struct {
	Rules []string   `json:"rules"`
	Flows []flow     `json:"flows"`
	Syncs [][]string `json:"syncs,omitempty"`
}

var nodeIPs = []string{"192.168.0.2", "192.168.1.2", "192.168.99.11", "2001:db8::1", "2001:db8:1::2"}

func network() proxyutil.NetworkInterfacer {
	fake := proxyutiltest.NewFakeNetwork()
	add := func(index int, name string, bits int, ips ...string) {
		var addrs []net.Addr
		for _, ip := range ips {
			addrs = append(addrs, &net.IPNet{IP: net.ParseIP(ip), Mask: net.CIDRMask(bits, 128)})
		}
		fake.AddInterfaceAddr(&net.Interface{Index: index, Name: name}, addrs)
	}
	add(0, "lo", 128, "127.0.0.1", "::1")
	add(1, "eth0", 64, nodeIPs...)
	return fake
}

func proxier(in *input) (*iptables.Proxier, *iptest.FakeIPTables) {
	family, fake := v1.IPv4Protocol, iptest.NewFake()
	nodeIP, pods := nodeIPs[0], "10.0.0.0/8"
	if in.Family == "IPv6" {
		family, fake = v1.IPv6Protocol, iptest.NewIPv6Fake()
		nodeIP, pods = nodeIPs[3], "fd00:10::/64"
	}
	fake.SetHasRandomFully(in.Options.RandomFully)
	local := proxyutil.NewDetectLocalByCIDR(pods)
	switch in.Options.Local {
	case "none":
		local = proxyutil.NewNoOpLocalDetector()
	case "bridge":
		local = proxyutil.NewDetectLocalByBridgeInterface("cni0")
	case "prefix":
		local = proxyutil.NewDetectLocalByInterfaceNamePrefix("veth")
	}
	labels := map[string]string{}
	if in.Zone != "" {
		labels[v1.LabelTopologyZone] = in.Zone
	}
	return iptables.XNew(fake, family, iptables.XConfig{
		NodeName: "test-node", Mark: "0x4000", NodeIP: net.ParseIP(nodeIP), Zone: labels,
		MasqueradeAll: in.Options.MasqueradeAll, Liberal: in.Options.Liberal,
		LocalhostNodePorts: !in.Options.NoLocalhost && family == v1.IPv4Protocol,
		Counters:           !in.Options.NoCounters, Local: local,
		NodePortAddresses: in.Options.NodePortAddresses, Network: network(),
	}), fake
}

func lines(text string) []string { return strings.Split(text, "\n") }

// Objects as the proxy has them: by kind, namespace and name.
type known struct {
	services map[string]*v1.Service
}

func (k *known) apply(p *iptables.Proxier, s step) {
	for _, svc := range s.Services {
		key := svc.Namespace + "/" + svc.Name
		if old := k.services[key]; old != nil {
			p.OnServiceUpdate(old, svc)
		} else {
			p.OnServiceAdd(svc)
		}
		k.services[key] = svc
	}
	for _, svc := range s.Deleted.Services {
		key := svc.Namespace + "/" + svc.Name
		p.OnServiceDelete(k.services[key])
		delete(k.services, key)
	}
	for _, slice := range s.EndpointSlices {
		p.OnEndpointSliceUpdate(nil, slice)
	}
	for _, slice := range s.Deleted.EndpointSlices {
		p.OnEndpointSliceDelete(slice)
	}
}

// A walker follows one packet through the parsed rules and gathers every end it may come to.
type walker struct {
	dump    *iptest.IPTablesDump
	src     net.IP
	dst     net.IP
	proto   string
	port    string
	outputs []string
	masq    bool
}

func local(ip net.IP) bool {
	if ip.IsLoopback() {
		return true
	}
	for _, own := range nodeIPs {
		if net.ParseIP(own).Equal(ip) {
			return true
		}
	}
	return false
}

func inside(v *iptest.IPTablesValue, ip net.IP) bool {
	if v == nil {
		return true
	}
	found := false
	if _, block, err := net.ParseCIDR(v.Value); err == nil {
		found = block.Contains(ip)
	} else {
		found = net.ParseIP(v.Value).Equal(ip)
	}
	return found != v.Negated
}

func typed(v *iptest.IPTablesValue, ip net.IP) bool {
	return v == nil || v.Value != "LOCAL" || local(ip) != v.Negated
}

func (w *walker) meets(r *iptest.Rule) bool {
	// Nobody knows which interface the packet came in by: none that a rule names.
	if strings.Contains(r.Raw, " -i ") && !strings.Contains(r.Raw, " ! -i ") {
		return false
	}
	return inside(r.SourceAddress, w.src) && inside(r.DestinationAddress, w.dst) &&
		typed(r.SourceType, w.src) && typed(r.DestinationType, w.dst) &&
		(r.Protocol == nil || r.Protocol.Matches(w.proto)) &&
		(r.DestinationPort == nil || r.DestinationPort.Matches(w.port)) &&
		r.AffinityCheck == nil && r.MarkCheck == nil && r.CTStateCheck == nil
}

func (w *walker) run(table utiliptables.Table, name string) bool {
	chain, _ := w.dump.GetChain(table, utiliptables.Chain(name))
	if chain == nil {
		return false
	}
	for _, rule := range chain.Rules {
		if rule.Jump == nil || !w.meets(rule) {
			continue
		}
		switch target := rule.Jump.Value; target {
		case "KUBE-MARK-MASQ":
			w.masq = true
		case "ACCEPT", "DROP", "REJECT":
			w.outputs = append(w.outputs, target)
			return true
		case "DNAT":
			w.outputs = append(w.outputs, rule.DNATDestination.Value)
			return true
		default:
			if w.run(table, target) && rule.Probability == nil {
				return true
			}
		}
	}
	return false
}

func (w *walker) walk() flow {
	w.run(utiliptables.TableNAT, "KUBE-SERVICES")
	if len(w.outputs) > 0 {
		if host, _, err := net.SplitHostPort(w.outputs[0]); err == nil {
			w.dst = net.ParseIP(host)
		}
	}
	for _, chain := range []string{"KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-PROXY-FIREWALL"} {
		w.run(utiliptables.TableFilter, chain)
	}
	return flow{strings.Join(w.outputs, ", "), w.masq}
}

// The order of the recordings beside the repository: tables, chains, and the rules of two chains
// by the name of the service.
func sorted(text string) []string {
	rank := func(chain string) string {
		return map[string]string{"KUBE-NODEPORTS": "0", "KUBE-SERVICES": "1"}[chain] + "\x00" + chain
	}
	key := func(line string) string {
		fields := strings.Fields(strings.TrimPrefix(line, ":"))
		chain := fields[0]
		if chain == "-A" {
			chain = fields[1]
		}
		where := rank(chain)
		if !strings.HasPrefix(where, "\x00") {
			return where
		}
		return "2" + where
	}
	service := func(line string) string {
		if !strings.HasPrefix(line, "-A KUBE-NODEPORTS") && !strings.HasPrefix(line, "-A KUBE-SERVICES") {
			return ""
		}
		_, comment, _ := strings.Cut(line, "--comment ")
		comment = strings.TrimPrefix(comment, `"`)
		if strings.Contains(comment, "must be the last rule") {
			return "\xff"
		}
		if at := strings.IndexAny(comment, " :"); at >= 0 {
			comment = comment[:at]
		}
		return comment
	}
	var out []string
	for _, table := range strings.SplitAfter(text, "COMMIT\n") {
		if table == "" {
			continue
		}
		all := strings.Split(strings.TrimSpace(table), "\n")
		var chains, rules []string
		for _, line := range all[1 : len(all)-1] {
			if line[0] == ':' {
				chains = append(chains, line)
			} else {
				rules = append(rules, line)
			}
		}
		sort.SliceStable(chains, func(i, j int) bool { return key(chains[i]) < key(chains[j]) })
		sort.SliceStable(rules, func(i, j int) bool {
			a, b := key(rules[i]), key(rules[j])
			if a != b {
				return a < b
			}
			return service(rules[i]) < service(rules[j])
		})
		out = append(append(append(append(out, all[0]), chains...), rules...), "COMMIT")
	}
	return append(out, "")
}

func answer(in *input) expected {
	p, fake := proxier(in)
	k := known{map[string]*v1.Service{}}
	k.apply(p, step{objects: in.objects})
	text := p.XSync()
	result := expected{Rules: sorted(text)}
	for _, packet := range in.Packets {
		proto := strings.ToLower(packet.Proto)
		port, _ := json.Marshal(packet.Port)
		w := walker{dump: fake.Dump, src: net.ParseIP(packet.Src), dst: net.ParseIP(packet.Dst), proto: proto, port: string(port)}
		result.Flows = append(result.Flows, w.walk())
	}
	for _, s := range in.Steps {
		k.apply(p, s)
		result.Syncs = append(result.Syncs, lines(p.XSync()))
	}
	return result
}

func main() {
	for _, path := range os.Args[1:] {
		data, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		var c struct{ Input json.RawMessage }
		if err := json.Unmarshal(data, &c); err != nil {
			panic(err)
		}
		in := &input{}
		if err := json.Unmarshal(c.Input, in); err != nil {
			panic(path + ": " + err.Error())
		}
		out, err := json.Marshal(map[string]any{"input": c.Input, "expected": answer(in)})
		if err != nil {
			panic(err)
		}
		if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
			panic(err)
		}
	}
}
