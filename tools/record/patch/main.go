// Reads patch cases, one JSON object a line, and adds what Kubernetes makes of each.
//
//	{"do":"three_way","apiVersion":..,"kind":..,"original":..,"modified":..,"current":..,"overwrite":bool}
//	{"do":"two_way","apiVersion":..,"kind":..,"original":..,"modified":..}
//	{"do":"strategic","apiVersion":..,"kind":..,"document":..,"patch":..}
//	{"do":"json_three_way","original":..,"modified":..,"current":..}
//	{"do":"merge"|"json","document":..,"patch":..}
//
// Cases whose answer depends on Go's map order are left out.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane"
)

type testCase struct {
	Do         string          `json:"do"`
	APIVersion string          `json:"apiVersion,omitempty"`
	Kind       string          `json:"kind,omitempty"`
	Original   json.RawMessage `json:"original,omitempty"`
	Modified   json.RawMessage `json:"modified,omitempty"`
	Current    json.RawMessage `json:"current,omitempty"`
	Document   json.RawMessage `json:"document,omitempty"`
	Patch      json.RawMessage `json:"patch,omitempty"`
	Overwrite  bool            `json:"overwrite,omitempty"`
	Made       json.RawMessage `json:"made,omitempty"`
	Result     json.RawMessage `json:"result,omitempty"`
	Error      string          `json:"error,omitempty"`
}

func (c testCase) run() (out testCase) {
	out = c
	defer func() {
		if r := recover(); r != nil {
			out.Error = fmt.Sprint("panic: ", r, time.Now().UnixNano()) // never the same twice: left out
		}
	}()
	var meta strategicpatch.PatchMetaFromStruct
	var obj any
	if c.Kind != "" {
		gv, _ := schema.ParseGroupVersion(c.APIVersion)
		o, err := legacyscheme.Scheme.New(gv.WithKind(c.Kind))
		if err != nil {
			panic(err)
		}
		obj = o
		if meta, err = strategicpatch.NewPatchMetaFromStruct(obj); err != nil {
			panic(err)
		}
	}
	var made, result []byte
	var err error
	switch c.Do {
	case "three_way":
		made, err = strategicpatch.CreateThreeWayMergePatch(c.Original, c.Modified, c.Current, meta, c.Overwrite)
		if err == nil {
			result, err = strategicpatch.StrategicMergePatch(c.Current, made, obj)
		}
	case "two_way":
		made, err = strategicpatch.CreateTwoWayMergePatch(c.Original, c.Modified, obj)
		if err == nil {
			result, err = strategicpatch.StrategicMergePatch(c.Original, made, obj)
		}
	case "strategic":
		result, err = strategicpatch.StrategicMergePatch(c.Document, c.Patch, obj)
	case "json_three_way":
		made, err = jsonmergepatch.CreateThreeWayJSONMergePatch(c.Original, c.Modified, c.Current,
			mergepatch.RequireKeyUnchanged("apiVersion"), mergepatch.RequireKeyUnchanged("kind"),
			mergepatch.RequireMetadataKeyUnchanged("name"))
		if err == nil {
			result, err = jsonpatch.MergePatch(c.Current, made)
		}
	case "merge":
		result, err = jsonpatch.MergePatch(c.Document, c.Patch)
	case "json":
		var p jsonpatch.Patch
		if p, err = jsonpatch.DecodePatch(c.Patch); err == nil {
			result, err = p.Apply(c.Document)
		}
	default:
		panic(c.Do)
	}
	out.Made, out.Result = made, result
	if err != nil {
		out.Error = err.Error()
		if mergepatch.IsConflict(err) {
			out.Error = "conflict"
		}
	}
	return out
}

func main() {
	_ = apiextensions.AddToScheme(legacyscheme.Scheme)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var c testCase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		var first []byte
		same := true
		for i := 0; i < 40 && same; i++ {
			var buf bytes.Buffer
			enc := json.NewEncoder(&buf)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(c.run()); err != nil {
				panic(err)
			}
			if first == nil {
				first = buf.Bytes()
			}
			same = bytes.Equal(first, buf.Bytes())
		}
		if same {
			os.Stdout.Write(first)
		} else {
			fmt.Fprintf(os.Stderr, "%s", in.Bytes()[:min(300, len(in.Bytes()))])
			fmt.Fprintln(os.Stderr)
		}
	}
}
