// Records what the EndpointSlice reconciler of Kubernetes 1.36 makes of random Services.
//
// Usage: go run . [-seed N] [-cases N] (see README.md for where it goes)
//
// Each line is a case: nodes, and steps of a Service and its pods, each with the slices and
// subsets that follow. Where the reconciler takes whatever comes first in a Go map, the module
// k8s.io/endpointslice is replaced by a copy that takes the first by name; README.md lists where.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"time"

	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/endpointslice"
	"k8s.io/endpointslice/topologycache"
	esutil "k8s.io/endpointslice/util"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/api/v1/endpoints"
	"k8s.io/utils/ptr"
)

// A list says what its position means in tests/network/test_slices.py.
type row []any

type step struct {
	Service map[string]any `json:"service"`
	Put     []row          `json:"put"`
	Drop    []string       `json:"drop"`
	Slices  []row          `json:"slices"`
	Subsets []row          `json:"subsets"`
	Events  []string       `json:"events"`
}

type recorded struct {
	Nodes []row  `json:"nodes"`
	Steps []step `json:"steps"`
}

func main() {
	seed := flag.Int64("seed", 1, "of the random cases")
	count := flag.Int("cases", 300, "how many")
	flag.Parse()
	klog.SetOutput(os.Stderr)
	klog.LogToStderr(false)
	out := json.NewEncoder(os.Stdout)
	for number := 0; number < *count; number++ {
		c := newCase(rand.New(rand.NewSource(*seed*1000003 + int64(number))))
		if err := out.Encode(c.run()); err != nil {
			panic(err)
		}
	}
}

type maker struct {
	*rand.Rand
	nodes   []*corev1.Node
	service *corev1.Service
	pods    map[string]*corev1.Pod
	made    int
	most    int
}

func newCase(r *rand.Rand) *maker {
	m := &maker{Rand: r, pods: map[string]*corev1.Pod{}, most: 12}
	if r.Intn(20) == 0 {
		m.most = 115
	}
	zones := []string{"a", "b", "c", "d"}[:min(4, 1+r.Intn(6))]
	for i := 0; i < 1+r.Intn(6); i++ {
		labels := map[string]string{}
		if r.Intn(60) != 0 {
			labels[corev1.LabelTopologyZone] = zones[r.Intn(len(zones))]
		}
		if r.Intn(15) == 0 {
			labels["node-role.kubernetes.io/control-plane"] = ""
		}
		ready := corev1.ConditionTrue
		if r.Intn(12) == 0 {
			ready = corev1.ConditionFalse
		}
		m.nodes = append(m.nodes, &corev1.Node{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d", i), Labels: labels},
			Status: corev1.NodeStatus{
				Allocatable: corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(int64(500*(1+r.Intn(8))), resource.DecimalSI)},
				Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}},
			},
		})
	}
	m.service = &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "00000000-0000-4000-8000-000000000001", Labels: map[string]string{"tier": "front"}},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, SessionAffinity: corev1.ServiceAffinityNone, Selector: map[string]string{"app": "web"},
			ClusterIP: "10.96.0.10", ClusterIPs: []string{"10.96.0.10"},
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicySingleStack),
		},
	}
	switch r.Intn(4) {
	case 0:
		m.service.Spec.ClusterIP, m.service.Spec.ClusterIPs = "None", []string{"None"}
	case 1:
		m.service.Spec.ClusterIPs = append(m.service.Spec.ClusterIPs, "fd00:10:96::a")
		m.service.Spec.IPFamilies = append(m.service.Spec.IPFamilies, corev1.IPv6Protocol)
		m.service.Spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicyRequireDualStack)
	}
	m.ports()
	m.mode()
	return m
}

func (m *maker) ports() {
	spec := &m.service.Spec
	spec.Ports = nil
	targets := []intstr.IntOrString{intstr.FromInt32(8080), intstr.FromString("http"), intstr.FromString("dns"), intstr.FromInt32(53)}
	for i := 0; i < 1+m.Intn(3); i++ {
		port := corev1.ServicePort{Name: fmt.Sprintf("p%d", i), Port: int32(80 + i), Protocol: corev1.ProtocolTCP, TargetPort: targets[m.Intn(4)]}
		if m.Intn(3) == 0 {
			port.Protocol = corev1.ProtocolUDP
		}
		if m.Intn(4) == 0 {
			port.AppProtocol = ptr.To("kubernetes.io/h2c")
		}
		spec.Ports = append(spec.Ports, port)
	}
	if spec.ClusterIP == "None" && m.Intn(4) == 0 {
		spec.Ports = nil
	}
}

func (m *maker) mode() {
	spec := &m.service.Spec
	spec.TrafficDistribution, m.service.Annotations = nil, nil
	switch m.Intn(6) {
	case 0:
		spec.TrafficDistribution = ptr.To("PreferClose")
	case 1:
		spec.TrafficDistribution = ptr.To("PreferSameZone")
	case 2:
		spec.TrafficDistribution = ptr.To("PreferSameNode")
	case 3, 4:
		m.service.Annotations = map[string]string{corev1.AnnotationTopologyMode: "Auto"}
	}
}

func (m *maker) pod() *corev1.Pod {
	m.made++
	name := fmt.Sprintf("web-%05d", m.made)
	number := m.made
	pod := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", Labels: map[string]string{"app": "web"}, Finalizers: []string{"example.com/hold"},
			UID: types.UID(fmt.Sprintf("00000000-0000-4000-9000-%012d", number))},
		Spec: corev1.PodSpec{NodeName: m.nodes[m.Intn(len(m.nodes))].Name, Containers: []corev1.Container{{Name: "c", Image: "i"}}},
	}
	ports := &pod.Spec.Containers[0].Ports
	*ports = append(*ports, corev1.ContainerPort{Name: "http", ContainerPort: int32(8000 + 100*(m.Intn(8)/7)), Protocol: corev1.ProtocolTCP})
	if m.Intn(4) != 0 {
		*ports = append(*ports, corev1.ContainerPort{Name: "dns", ContainerPort: 5353, Protocol: corev1.ProtocolUDP})
	}
	if m.Intn(8) == 0 {
		pod.Spec.Hostname, pod.Spec.Subdomain = name, []string{"web", "other"}[m.Intn(2)]
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP = fmt.Sprintf("10.0.%d.%d", number/250, 1+number%250)
	pod.Status.PodIPs = []corev1.PodIP{{IP: pod.Status.PodIP}}
	if m.Intn(6) != 0 {
		pod.Status.PodIPs = append(pod.Status.PodIPs, corev1.PodIP{IP: fmt.Sprintf("fd00::%x", number)})
	}
	m.ready(pod)
	return pod
}

func (m *maker) ready(pod *corev1.Pod) {
	status := corev1.ConditionTrue
	if m.Intn(5) == 0 {
		status = corev1.ConditionFalse
	}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
}

func (m *maker) sorted() []*corev1.Pod {
	list := []*corev1.Pod{}
	for _, pod := range m.pods {
		list = append(list, pod)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// step changes the case at random; says which pods are new or other, and which are gone.
func (m *maker) step(first bool) (put []*corev1.Pod, drop []string) {
	if !first && m.Intn(4) == 0 {
		m.mode()
	}
	if !first && m.Intn(8) == 0 {
		m.ports()
	}
	if !first && m.Intn(8) == 0 {
		m.service.Labels = map[string]string{"tier": fmt.Sprintf("t%d", m.Intn(3))}
	}
	if m.Intn(8) == 0 {
		m.service.Spec.PublishNotReadyAddresses = !m.service.Spec.PublishNotReadyAddresses
	}
	changed := map[string]bool{}
	sweep := m.Intn(10) == 0
	for _, pod := range m.sorted() {
		switch dice := m.Intn(12); {
		case dice == 0 || sweep:
			delete(m.pods, pod.Name)
			drop = append(drop, pod.Name)
		case dice < 3:
			m.ready(pod)
			changed[pod.Name] = true
		case dice == 3 && pod.DeletionTimestamp == nil:
			pod.DeletionTimestamp = &metav1.Time{Time: time.Unix(1767225600, 0)}
			changed[pod.Name] = true
		case dice == 4 && m.Intn(3) == 0:
			pod.Status.Phase = corev1.PodSucceeded
			changed[pod.Name] = true
		}
	}
	for i := m.Intn(m.most + 1); i > 0; i-- {
		pod := m.pod()
		m.pods[pod.Name] = pod
		changed[pod.Name] = true
	}
	for _, pod := range m.sorted() {
		if changed[pod.Name] {
			put = append(put, pod.DeepCopy())
		}
	}
	return put, drop
}

func (m *maker) run() recorded {
	client := fake.NewClientset()
	made := 0
	client.PrependReactor("create", "endpointslices", func(action clienttesting.Action) (bool, runtime.Object, error) {
		slice := action.(clienttesting.CreateAction).GetObject().(*discovery.EndpointSlice)
		made++
		slice.Name = fmt.Sprintf("%s%05d", slice.GenerateName, made)
		return false, nil, nil
	})
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for _, node := range m.nodes {
		indexer.Add(node)
	}
	topology := topologycache.NewTopologyCache()
	topology.SetNodes(klog.Background(), m.nodes)
	events := record.NewFakeRecorder(1000)
	reconciler := endpointslice.NewReconciler(client, corelisters.NewNodeLister(indexer), 100, esutil.NewEndpointSliceTracker(), topology, events, "endpointslice-controller.k8s.io", endpointslice.WithPreferSameTrafficDistributionEnabled(true))
	result := recorded{}
	for _, node := range m.nodes {
		_, excluded := node.Labels["node-role.kubernetes.io/control-plane"]
		result.Nodes = append(result.Nodes, row{node.Name, node.Labels[corev1.LabelTopologyZone], node.Status.Allocatable.Cpu().String(), node.Status.Conditions[0].Status == corev1.ConditionTrue, excluded})
	}
	for i := 0; i < 6; i++ {
		put, drop := m.step(i == 0)
		existing := list(client)
		pointers := []*discovery.EndpointSlice{}
		for i := range existing {
			pointers = append(pointers, &existing[i])
		}
		service := m.service.DeepCopy()
		if err := reconciler.Reconcile(klog.Background(), service, m.sorted(), pointers, time.Time{}); err != nil {
			panic(err)
		}
		told := []string{}
		for len(events.Events) > 0 {
			told = append(told, <-events.Events)
		}
		result.Steps = append(result.Steps, step{m.asked(), pods(put), drop, slices(list(client)), subsets(m.subsets()), told})
	}
	return result
}

func list(client *fake.Clientset) []discovery.EndpointSlice {
	found, err := client.DiscoveryV1().EndpointSlices("default").List(context.TODO(), metav1.ListOptions{})
	if err != nil {
		panic(err)
	}
	items := found.Items
	sort.Slice(items, func(i, j int) bool { return items[i].Name < items[j].Name })
	return items
}

// subsets are what the Endpoints controller packs.
func (m *maker) subsets() []corev1.EndpointSubset {
	subsets := []corev1.EndpointSubset{}
	spec := m.service.Spec
	for _, pod := range m.sorted() {
		if !esutil.ShouldPodBeInEndpoints(pod, spec.PublishNotReadyAddresses) {
			continue
		}
		address := corev1.EndpointAddress{IP: pod.Status.PodIP, NodeName: &pod.Spec.NodeName,
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}}
		if esutil.ShouldSetHostname(pod, m.service) {
			address.Hostname = pod.Spec.Hostname
		}
		add := func(ports []corev1.EndpointPort) {
			subset := corev1.EndpointSubset{Ports: ports}
			if spec.PublishNotReadyAddresses || esutil.IsPodReady(pod) {
				subset.Addresses = []corev1.EndpointAddress{address}
			} else {
				subset.NotReadyAddresses = []corev1.EndpointAddress{address}
			}
			subsets = append(subsets, subset)
		}
		if len(spec.Ports) == 0 {
			add(nil)
		}
		for i := range spec.Ports {
			port := &spec.Ports[i]
			if number, err := endpointslice.FindPort(pod, port); err == nil {
				add([]corev1.EndpointPort{{Name: port.Name, Port: int32(number), Protocol: port.Protocol, AppProtocol: port.AppProtocol}})
			}
		}
	}
	return endpoints.RepackSubsets(subsets)
}

func (m *maker) asked() map[string]any {
	spec := m.service.Spec
	ports := []row{}
	for _, port := range spec.Ports {
		target := any(port.TargetPort.IntVal)
		if port.TargetPort.Type == intstr.String {
			target = port.TargetPort.StrVal
		}
		ports = append(ports, row{port.Name, port.Port, port.Protocol, target, port.AppProtocol})
	}
	return map[string]any{
		"ips": spec.ClusterIPs, "tier": m.service.Labels["tier"], "ports": ports, "distribution": spec.TrafficDistribution,
		"auto": m.service.Annotations != nil, "publish": spec.PublishNotReadyAddresses,
	}
}

func pods(list []*corev1.Pod) []row {
	rows := []row{}
	for _, pod := range list {
		ips := []string{}
		for _, ip := range pod.Status.PodIPs {
			ips = append(ips, ip.IP)
		}
		ports := []row{}
		for _, port := range pod.Spec.Containers[0].Ports {
			ports = append(ports, row{port.Name, port.ContainerPort, port.Protocol})
		}
		rows = append(rows, row{pod.Name, pod.UID, pod.Spec.NodeName, ips, ports, pod.Spec.Subdomain, pod.Status.Phase,
			esutil.IsPodReady(pod), pod.DeletionTimestamp != nil})
	}
	return rows
}

func slices(list []discovery.EndpointSlice) []row {
	rows := []row{}
	for _, slice := range list {
		ports := []row{}
		for _, port := range slice.Ports {
			ports = append(ports, row{port.Name, port.Port, port.Protocol, port.AppProtocol})
		}
		endpoints := []row{}
		for _, one := range slice.Endpoints {
			zones, nodes := []string{}, []string{}
			if one.Hints != nil {
				for _, zone := range one.Hints.ForZones {
					zones = append(zones, zone.Name)
				}
				for _, node := range one.Hints.ForNodes {
					nodes = append(nodes, node.Name)
				}
			}
			c := one.Conditions
			endpoints = append(endpoints, row{one.TargetRef.Name, one.Addresses, flags(*c.Ready, *c.Serving, *c.Terminating), one.Hostname, one.NodeName, one.Zone, zones, nodes})
		}
		rows = append(rows, row{slice.AddressType, slice.Labels, ports, endpoints})
	}
	return rows
}

func flags(ready, serving, terminating bool) string {
	text := ""
	for i, flag := range []bool{ready, serving, terminating} {
		if flag {
			text += "RST"[i : i+1]
		}
	}
	return text
}

func subsets(list []corev1.EndpointSubset) []row {
	rows := []row{}
	for _, subset := range list {
		names := func(addresses []corev1.EndpointAddress) []string {
			names := []string{}
			for _, address := range addresses {
				names = append(names, address.TargetRef.Name)
			}
			return names
		}
		ports := []row{}
		for _, port := range subset.Ports {
			ports = append(ports, row{port.Name, port.Port, port.Protocol, port.AppProtocol})
		}
		rows = append(rows, row{names(subset.Addresses), names(subset.NotReadyAddresses), ports})
	}
	return rows
}
