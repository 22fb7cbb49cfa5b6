//go:build ignore

// What main.go needs of the scheduler's package; goes into a copy of it, without the first line.
package scheduler

import (
	"context"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

func (sched *Scheduler) XSnapshot(ctx context.Context) int {
	if err := sched.Cache.UpdateSnapshot(klog.FromContext(ctx), sched.nodeInfoSnapshot); err != nil {
		panic(err)
	}
	return sched.nodeInfoSnapshot.NumNodesInPlacement()
}

func (sched *Scheduler) XFind(ctx context.Context, f framework.Framework, state fwk.CycleState, p *framework.QueuedPodInfo) ([]fwk.NodeInfo, framework.Diagnosis, error) {
	n, d, _, err := sched.findNodesThatFitPod(ctx, f, state, p)
	return n, d, err
}

func (sched *Scheduler) XScore(ctx context.Context, f framework.Framework, state fwk.CycleState, pod *v1.Pod, nodes []fwk.NodeInfo) ([]fwk.NodePluginScores, error) {
	return prioritizeNodes(ctx, nil, f, state, pod, nodes)
}

func XSelect(l []fwk.NodePluginScores) string { return newSortedNodeScores(l).Pop() }

func (sched *Scheduler) XReserve(ctx context.Context, state fwk.CycleState, f framework.Framework, p *framework.QueuedPodInfo, host string) (*framework.QueuedPodInfo, *fwk.Status) {
	return sched.assumeAndReserve(ctx, state, f, p, ScheduleResult{SuggestedHost: host})
}

func (sched *Scheduler) XForget(ctx context.Context, pod *v1.Pod) {
	_ = sched.Cache.ForgetPod(klog.FromContext(ctx), pod)
}
func (sched *Scheduler) XFramework(pod *v1.Pod) (framework.Framework, error) {
	return sched.frameworkForPod(pod)
}
