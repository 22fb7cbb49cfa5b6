// Records how Go lays out the structs of a pod template.
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	v1 "k8s.io/api/core/v1"
)

var queue []reflect.Type
var seen = map[string]reflect.Type{}

func scalar(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int32:
		return "i"
	case reflect.Int64:
		return "l"
	}
	return ""
}

// form is what a value is made of.
func form(t reflect.Type) string {
	switch t.String() {
	case "resource.Quantity":
		return "q"
	case "intstr.IntOrString":
		return "x"
	case "v1.Time":
		return "t"
	}
	if t.String() == "[]v1.ManagedFieldsEntry" {
		return "n"
	}
	if s := scalar(t.Kind()); s != "" {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + form(t.Elem())
	case reflect.Slice:
		return "[]" + form(t.Elem())
	case reflect.Map:
		return "{}" + form(t.Elem())
	case reflect.Struct:
		if old, ok := seen[t.String()]; !ok {
			seen[t.String()] = t
			queue = append(queue, t)
		} else if old != t {
			panic("two types " + t.String())
		}
		return t.String()
	}
	panic(t.String())
}

// plain is how Go names a type of this form, unless it has a name of its own.
func plain(f string) string {
	names := map[string]string{"s": "string", "b": "bool", "i": "int32", "l": "int64", "q": "resource.Quantity", "x": "intstr.IntOrString", "t": "v1.Time"}
	switch {
	case strings.HasPrefix(f, "*"):
		return "*" + plain(f[1:])
	case strings.HasPrefix(f, "[]"):
		return "[]" + plain(f[2:])
	case strings.HasPrefix(f, "{}"):
		return "map[string]" + plain(f[2:])
	}
	if n, ok := names[f]; ok {
		return n
	}
	return f
}

func main() {
	form(reflect.TypeOf(v1.PodTemplateSpec{}))
	lines := map[string][]string{}
	for len(queue) > 0 {
		t := queue[0]
		queue = queue[1:]
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			if !f.IsExported() {
				panic(t.String() + "." + f.Name)
			}
			json, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && (json == "" || strings.Contains(rest, "inline")) {
				json = "-"
			}
			line := " " + json + " " + f.Name + " " + form(f.Type)
			if p := plain(form(f.Type)); p != f.Type.String() {
				line += " " + f.Type.String()
			}
			lines[t.String()] = append(lines[t.String()], line)
		}
	}
	names := []string{}
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	out := os.Stdout
	for _, n := range names {
		fmt.Fprintln(out, n)
		for _, l := range lines[n] {
			fmt.Fprintln(out, l)
		}
	}
}
