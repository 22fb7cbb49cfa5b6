// What the real scheduler makes of cases: for each file of the form {"input": ...} one line
// {"file": ..., "results": [...]}, one entry a pod.
//
// It calls the scheduler's own functions one after the other, at parallelism 1. Some are not
// exported: put export.go, beside this file, into a copy of k8s.io/kubernetes/pkg/scheduler and
// let go.mod replace k8s.io/kubernetes with that copy.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	kscheme "k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

type Case struct {
	Nodes, Objects, Existing, Pods []json.RawMessage
	Config                         string
}
type M = map[string]any

func decode(raw []byte) runtime.Object {
	obj, _, err := legacyscheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil)
	if err != nil {
		panic(err)
	}
	legacyscheme.Scheme.Default(obj)
	return obj
}

func until(what string, f func() bool) {
	end := time.Now().Add(10 * time.Second)
	for !f() {
		if time.Now().After(end) {
			panic("waited for " + what)
		}
		time.Sleep(30 * time.Microsecond)
	}
}

func run(c Case) []M {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var objs []runtime.Object
	for _, o := range c.Objects {
		objs = append(objs, decode(o))
	}
	client := fake.NewClientset(objs...)
	inf := scheduler.NewInformerFactory(client, 0)
	opts := []scheduler.Option{scheduler.WithParallelism(1)}
	pct := int32(100)
	cfg := &config.KubeSchedulerConfiguration{}
	if c.Config != "" {
		obj, _, err := kscheme.Codecs.UniversalDecoder().Decode([]byte(c.Config), nil, nil)
		if err != nil {
			panic(err)
		}
		cfg = obj.(*config.KubeSchedulerConfiguration)
		opts = append(opts, scheduler.WithProfiles(cfg.Profiles...))
		if cfg.PercentageOfNodesToScore != nil && *cfg.PercentageOfNodesToScore != 0 {
			pct = *cfg.PercentageOfNodesToScore
		}
	}
	opts = append(opts, scheduler.WithPercentageOfNodesToScore(&pct))
	bc := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	sched, err := scheduler.New(ctx, client, inf, nil, profile.NewRecorderFactory(bc), opts...)
	if err != nil {
		return []M{{"error": err.Error()}}
	}
	inf.Start(ctx.Done())
	inf.WaitForCacheSync(ctx.Done())
	if err := sched.WaitForHandlersSync(ctx); err != nil {
		panic(err)
	}
	for i, n := range c.Nodes {
		node := decode(n).(*v1.Node)
		if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			panic(err)
		}
		until("node", func() bool { return sched.Cache.NodeCount() == i+1 })
	}
	for i, p := range c.Existing {
		pod := decode(p).(*v1.Pod)
		if _, err := client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			panic(err)
		}
		until("pod", func() bool { n, _ := sched.Cache.PodCount(); return n == i+1 })
	}
	lister := inf.Core().V1().Pods().Lister()
	small := len(c.Nodes) <= 40
	placed := 0
	answers := []M{}
	for _, raw := range c.Pods {
		pod := decode(raw).(*v1.Pod)
		if _, err := client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			panic(err)
		}
		until("lister", func() bool { _, err := lister.Pods(pod.Namespace).Get(pod.Name); return err == nil })
		pod, _ = lister.Pods(pod.Namespace).Get(pod.Name)
		pod = pod.DeepCopy()
		a := M{"pod": pod.Namespace + "/" + pod.Name, "node": ""}
		answers = append(answers, a)
		for again := false; ; again = true {
			f, err := sched.XFramework(pod)
			if err != nil {
				a["error"] = err.Error()
				break
			}
			pi, err := framework.NewPodInfo(pod)
			if err != nil {
				panic(err)
			}
			q := &framework.QueuedPodInfo{PodInfo: pi}
			host, victims, nominated := attempt(ctx, client, lister, sched, f, q, a, again, small)
			if host != "" {
				a["node"] = host
				start := metav1.NewTime(time.Unix(1700000000+int64(placed), 0))
				placed++
				bound := pod.DeepCopy()
				bound.Spec.NodeName = host
				bound.Status.StartTime = &start
				if _, err := client.CoreV1().Pods(bound.Namespace).Update(ctx, bound, metav1.UpdateOptions{}); err != nil {
					panic(err)
				}
				until("bound", func() bool {
					p, err := sched.Cache.GetPod(bound)
					if err != nil || p.Status.StartTime == nil {
						return false
					}
					as, _ := sched.Cache.IsAssumedPod(bound)
					return !as
				})
				break
			}
			if again || nominated == "" {
				break
			}
			// victims
			var names []string
			for _, v := range victims {
				names = append(names, v)
			}
			sort.Strings(names)
			a["nominated"] = nominated
			a["victims"] = names
			pod = pod.DeepCopy()
			pod.Status.NominatedNodeName = nominated
			if _, err := client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
				panic(err)
			}
			until("nomination", func() bool {
				p, err := lister.Pods(pod.Namespace).Get(pod.Name)
				return err == nil && p.Status.NominatedNodeName == nominated
			})
		}
	}
	return answers
}

func attempt(ctx context.Context, client *fake.Clientset, lister corelisters.PodLister, sched *scheduler.Scheduler, f framework.Framework, q *framework.QueuedPodInfo, a M, again, small bool) (host string, victims []string, nominated string) {
	pod := q.Pod
	all := sched.XSnapshot(ctx)
	fail := func(msg string) {
		if !again {
			a["message"] = msg
		}
	}
	if all == 0 {
		fail(scheduler.ErrNoNodesAvailable.Error())
		return
	}
	state := framework.NewCycleState()
	feasible, d, err := sched.XFind(ctx, f, state, q)
	if err != nil {
		a["errored"] = err.Error()
		fail(err.Error())
		return
	}
	if small && !again {
		reasons, codes := M{}, M{}
		d.NodeToStatus.ForEachExplicitNode(func(n string, s *fwk.Status) {
			r := append([]string{}, s.Reasons()...)
			sort.Strings(r)
			reasons[n] = r
			codes[n] = s.Code().String()
		})
		if len(reasons) > 0 {
			a["reasons"], a["codes"] = reasons, codes
		}
	}
	if len(feasible) > 0 {
		var names []string
		for _, n := range feasible {
			names = append(names, n.Node().Name)
		}
		a["feasible"] = names
		host = names[0]
		if len(feasible) > 1 {
			list, err := sched.XScore(ctx, f, state, pod, feasible)
			if err != nil {
				a["errored"] = err.Error()
				fail(err.Error())
				return "", nil, ""
			}
			totals, scores := M{}, M{}
			for _, s := range list {
				totals[s.Name] = s.TotalScore
				of := M{}
				for _, p := range s.Scores {
					of[p.Name] = p.Score
				}
				scores[s.Name] = of
			}
			a["totals"] = totals
			if small {
				a["scores"] = scores
			}
			host = scheduler.XSelect(append([]fwk.NodePluginScores{}, list...))
		}
		_, st := sched.XReserve(ctx, state, f, q, host)
		if !st.IsSuccess() {
			a["errored"] = st.Message()
			return "", nil, ""
		}
		return
	}
	fit := &framework.FitError{Pod: pod, NumAllNodes: all, Diagnosis: d}
	if f.HasPostFilterPlugins() {
		before := bound(sched)
		var ni *fwk.NominatingInfo
		defer func() {
			sched.SchedulingQueue.AddNominatedPod(klog.FromContext(ctx), q.PodInfo, ni)
			if ni != nil && ni.NominatingMode == fwk.ModeOverride && ni.NominatedNodeName == "" && q.Pod.Status.NominatedNodeName != "" {
				p := q.Pod.DeepCopy()
				p.Status.NominatedNodeName = ""
				if _, err := client.CoreV1().Pods(p.Namespace).UpdateStatus(ctx, p, metav1.UpdateOptions{}); err != nil {
					panic(err)
				}
				until("cleared", func() bool {
					x, err := lister.Pods(p.Namespace).Get(p.Name)
					return err == nil && x.Status.NominatedNodeName == ""
				})
				time.Sleep(5 * time.Millisecond)
			}
		}()
		res, status := f.RunPostFilterPlugins(ctx, state, pod, d.NodeToStatus)
		fit.Diagnosis.PostFilterMsg = status.Message()
		if res != nil {
			ni = res.NominatingInfo
		}
		if res != nil && res.NominatingInfo != nil && res.NominatedNodeName != "" {
			nominated = res.NominatedNodeName
			last := -1
			until("victims", func() bool {
				n, _ := sched.Cache.PodCount()
				if n != last {
					last = n
					time.Sleep(15 * time.Millisecond)
					return false
				}
				return n < len(before)
			})
			after := bound(sched)
			for k := range before {
				if !after[k] {
					victims = append(victims, k)
				}
			}
		}
	}
	fail(fit.Error())
	return
}

func bound(sched *scheduler.Scheduler) map[string]bool {
	out := map[string]bool{}
	dump := sched.Cache.Dump()
	for _, n := range dump.Nodes {
		for _, p := range n.GetPods() {
			out[p.GetPod().Namespace+"/"+p.GetPod().Name] = true
		}
	}
	return out
}

func main() {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for _, name := range os.Args[1:] {
		raw, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		var f struct{ Input Case }
		if err := json.Unmarshal(raw, &f); err != nil {
			panic(err)
		}
		func() {
			defer func() {
				if e := recover(); e != nil {
					fmt.Fprintln(os.Stderr, name, "panic:", e)
				}
			}()
			out, _ := json.Marshal(M{"file": name, "results": run(f.Input)})
			w.Write(out)
			w.WriteString("\n")
		}()
	}
}
