// Records the hashes the Deployment controller gives to pod templates, which it sees as they
// come over the wire. Reads lines {"template": ..., "collisions": ...}, writes them with "hash".
package main

import (
	"bufio"
	"encoding/json"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/controller"
)

type line struct {
	Template   json.RawMessage `json:"template"`
	Collisions *int32          `json:"collisions,omitempty"`
	Hash       string          `json:"hash"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var l line
		check(json.Unmarshal(lines.Bytes(), &l))
		var template v1.PodTemplateSpec
		check(json.Unmarshal(l.Template, &template))
		sent := appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: template}}
		data, err := sent.Marshal()
		check(err)
		var got appsv1.Deployment
		check(got.Unmarshal(data))
		l.Hash = controller.ComputeHash(&got.Spec.Template, l.Collisions)
		check(out.Encode(l))
	}
}
