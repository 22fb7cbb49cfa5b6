// Checks conversions: lines of {"from": document, "to": document} in two versions of a kind are
// the same when both are stored alike. Prints the pairs that are not. With an argument it reads
// documents and prints them as they are stored in their own version.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane"
)

func stored(doc json.RawMessage, gv schema.GroupVersion) (string, error) {
	obj, err := runtime.Decode(legacyscheme.Codecs.UniversalDecoder(), doc)
	if err != nil {
		return "", err
	}
	var buf bytes.Buffer
	if err := legacyscheme.Codecs.LegacyCodec(gv).Encode(obj, &buf); err != nil {
		return "", err
	}
	var m any
	_ = json.Unmarshal(buf.Bytes(), &m)
	b, _ := json.Marshal(m)
	return string(b), nil
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	if len(os.Args) > 1 {
		for in.Scan() {
			var tm struct{ APIVersion, Kind string }
			_ = json.Unmarshal(in.Bytes(), &tm)
			gv, _ := schema.ParseGroupVersion(tm.APIVersion)
			if s, err := stored(in.Bytes(), gv); err == nil {
				fmt.Println(s)
			}
		}
		return
	}
	ok, bad := 0, 0
	stats := map[string]int{}
	for in.Scan() {
		var c struct{ From, To json.RawMessage }
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		var tm struct{ APIVersion, Kind string }
		_ = json.Unmarshal(c.To, &tm)
		gv, _ := schema.ParseGroupVersion(tm.APIVersion)
		a, err := stored(c.From, gv)
		if err != nil {
			stats["skip "+err.Error()[:min(80, len(err.Error()))]]++
			continue
		}
		b, err := stored(c.To, gv)
		if err != nil {
			b = "ERR " + err.Error()
		}
		if a == b {
			ok++
		} else {
			bad++
			if bad < 6 {
				fmt.Printf("FROM %s\nOURS %s\nWANT %s\nGOT  %s\n\n", c.From, c.To, a, b)
			}
		}
	}
	fmt.Println("ok", ok, "bad", bad)
	for k, v := range stats {
		fmt.Println(v, k)
	}
}
