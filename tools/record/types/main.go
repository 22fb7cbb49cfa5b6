// Records, for every API type of the Kubernetes release it is built with, what the Go structs
// say and the published API description does not: which fields are always written, which are
// pointers, which named Go type holds them, which embedded struct they come from.
//
// One tab-separated line per type (TYPE) and per field; tools/generate_api_table.py reads it.
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	aggregator "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane"
	_ "k8s.io/kubernetes/pkg/apis/storagemigration/install"
	_ "k8s.io/kubernetes/pkg/apis/resource/install"
)

var leaf = map[string]string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity":            "q",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":          "x",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                "t",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":           "u",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":            "D",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":            "r",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":             "r",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "j",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "j1",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "j2",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "j3",
}

var seen = map[reflect.Type]bool{}
var queue []reflect.Type

func full(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }

func expr(t reflect.Type) string {
	if l, ok := leaf[full(t)]; ok {
		return l
	}
	name := ""
	if t.Name() != "" && t.PkgPath() != "" && t.Kind() != reflect.Struct {
		name = "<" + t.String() + ">"
	}
	switch t.Kind() {
	case reflect.String:
		return name + "s"
	case reflect.Bool:
		return name + "b"
	case reflect.Int32:
		return name + "i"
	case reflect.Int64:
		return name + "l"
	case reflect.Float64:
		return name + "d"
	case reflect.Int, reflect.Uint32, reflect.Uint64, reflect.Uint16, reflect.Int16, reflect.Uint8, reflect.Float32:
		return name + "?" + t.Kind().String()
	case reflect.Interface:
		return name + "any"
	case reflect.Pointer:
		return "*" + expr(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return name + "y"
		}
		return name + "[]" + expr(t.Elem())
	case reflect.Map:
		key := ""
		if t.Key().PkgPath() != "" {
			key = t.Key().String()
		}
		return name + "{" + key + "}" + expr(t.Elem())
	case reflect.Struct:
		if !seen[t] {
			seen[t] = true
			queue = append(queue, t)
		}
		return full(t)
	}
	panic(t.String())
}

func fields(t reflect.Type, embed string, out *[]string) {
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := strings.Split(f.Tag.Get("json"), ",")
		if tag[0] == "-" || !f.IsExported() {
			continue
		}
		flags := map[string]bool{}
		for _, o := range tag[1:] {
			flags[o] = true
		}
		if f.Anonymous && tag[0] == "" {
			ft := f.Type
			prefix := f.Name
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
				prefix = "*" + prefix
			}
			if embed != "" {
				prefix = embed + "." + prefix
			}
			fields(ft, prefix, out)
			continue
		}
		name := tag[0]
		if name == "" {
			name = f.Name
		}
		w := "!"
		if flags["omitempty"] {
			w = "e"
		}
		if flags["omitzero"] {
			w += "z"
		}
		if flags["string"] {
			panic("string tag")
		}
		*out = append(*out, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", name, w, expr(f.Type), embed,
			f.Tag.Get("patchStrategy"), f.Tag.Get("patchMergeKey")))
	}
}

func main() {
	scheme := legacyscheme.Scheme
	extra := runtime.NewScheme()
	_ = apiextensions.AddToScheme(extra)
	_ = aggregator.AddToScheme(extra)
	for _, s := range []*runtime.Scheme{scheme, extra} {
		for gvk, t := range s.AllKnownTypes() {
			if gvk.Version != runtime.APIVersionInternal {
				fmt.Fprintln(os.Stderr, gvk.GroupVersion().String(), gvk.Kind, full(t))
				expr(t)
			}
		}
	}
	expr(reflect.TypeFor[metav1.Status]())
	var lines []string
	for len(queue) > 0 {
		t := queue[0]
		queue = queue[1:]
		var out []string
		fields(t, "", &out)
		lines = append(lines, "TYPE\t"+full(t)+"\n"+strings.Join(out, "\n"))
	}
	sort.Strings(lines)
	for _, l := range lines {
		fmt.Println(l)
	}
}
