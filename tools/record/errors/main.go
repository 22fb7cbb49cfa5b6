package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/endpoints/handlers/negotiation"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
)

func main() {
	dep := schema.GroupResource{Group: "apps", Resource: "deployments"}
	pod := schema.GroupResource{Resource: "pods"}
	none := schema.GroupResource{}
	e := errors.New("why \"not\"")
	p := field.NewPath("spec", "x")
	list := field.ErrorList{
		field.Invalid(p.Index(0).Child("n"), int32(-1), "must be positive"),
		field.Required(p.Key("a.b/c"), ""),
		field.Required(p.Key("a.b/c"), ""),
		field.NotSupported(p, "Z", []string{"A", "B"}),
		field.Duplicate(p, "d<"),
		field.Forbidden(p, "may not"),
		field.TooLong(p, "", 63),
		field.TooMany(p, 3, 2),
		field.TooFew(p, 0, 1),
		field.NotFound(p, map[string]string{"a": "<"}),
		field.TypeInvalid(p, 1.5, "no"),
		field.InternalError(p, e),
	}
	one := list[:1]
	cases := []struct {
		name string
		err  error
	}{
		{"not_found", apierrors.NewNotFound(dep, "we\"b")},
		{"not_found_core", apierrors.NewNotFound(pod, "web")},
		{"resource_not_found", apierrors.NewGenericServerResponse(http.StatusNotFound, "", none, "", "", 0, false)},
		{"already_exists", apierrors.NewAlreadyExists(dep, "web")},
		{"generate_name_conflict", apierrors.NewGenerateNameConflict(pod, "web-x", 1)},
		{"conflict", apierrors.NewConflict(dep, "web", e)},
		{"apply_conflict", apierrors.NewApplyConflict([]metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Message: "m", Field: ".f"}}, "msg")},
		{"unauthorized", apierrors.NewUnauthorized("")},
		{"unauthorized_reason", apierrors.NewUnauthorized("why")},
		{"forbidden", apierrors.NewForbidden(dep, "web", e)},
		{"forbidden_no_name", apierrors.NewForbidden(dep, "", e)},
		{"forbidden_nothing", apierrors.NewForbidden(none, "", e)},
		{"gone", apierrors.NewGone("m")},
		{"expired", apierrors.NewResourceExpired("m")},
		{"invalid", apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "web", list)},
		{"invalid_one", apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "web", one)},
		{"invalid_none", apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "web", nil)},
		{"unprocessable", apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", none, "", "x", 0, false)},
		{"bad_request", apierrors.NewBadRequest("m")},
		{"too_many_requests", apierrors.NewTooManyRequests("m", 7)},
		{"too_many_requests_now", apierrors.NewTooManyRequests("m", 0)},
		{"method_not_supported", apierrors.NewMethodNotSupported(dep, "delete")},
		{"method_not_allowed", apierrors.NewGenericServerResponse(http.StatusMethodNotAllowed, "", none, "", "", 0, false)},
		{"not_acceptable", negotiation.NewNotAcceptableError([]string{"a/b", "c/d"})},
		{"request_entity_too_large", apierrors.NewRequestEntityTooLargeError("m")},
		{"unsupported_media_type", negotiation.NewUnsupportedMediaTypeError([]string{"a/b", "c/d"})},
		{"internal", apierrors.NewInternalError(e)},
		{"server_timeout", apierrors.NewServerTimeout(dep, "update", 2)},
		{"timeout", apierrors.NewTimeoutError("m", 1)},
		{"service_unavailable", apierrors.NewServiceUnavailable("m")},
	}
	for _, c := range cases {
		enc := json.NewEncoder(os.Stdout)
		st := responsewriters.ErrorToAPIStatus(c.err)
		if err := enc.Encode(map[string]any{"case": c.name, "status": st}); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}
