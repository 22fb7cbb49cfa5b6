// Reads JSON documents, one a line, and prints what the API server's decoder makes of each:
// the error, or the strict decoding errors and the object as it is written back.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	aggregator "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane"
)

func main() {
	scheme := legacyscheme.Scheme
	_ = apiextensions.AddToScheme(scheme)
	_ = aggregator.AddToScheme(scheme)
	s := kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, scheme, scheme, kjson.SerializerOptions{Strict: true})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		result := map[string]any{"input": json.RawMessage(bytes.Clone(in.Bytes()))}
		obj, gvk, err := s.Decode(in.Bytes(), nil, nil)
		switch strict, ok := runtime.AsStrictDecodingError(err); {
		case ok:
			warnings := []string{}
			for _, e := range strict.Errors() {
				warnings = append(warnings, e.Error())
			}
			result["warnings"] = warnings
		case err != nil:
			result["error"] = fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", gvk.Kind, gvk.Version, gvk.Kind, err)
		}
		if obj != nil {
			var buf bytes.Buffer
			if err := s.Encode(obj, &buf); err != nil {
				panic(err)
			}
			result["output"] = json.RawMessage(bytes.TrimSpace(buf.Bytes()))
		}
		if err := out.Encode(result); err != nil && !errors.Is(err, nil) {
			panic(err)
		}
	}
}
