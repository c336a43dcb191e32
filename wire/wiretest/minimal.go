package wiretest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Minimal is the smallest value of a shape that satisfies its constraints, as JSON would decode it.
func Minimal(s *aws.Service, id aws.ID) (any, error) {
	if id == aws.None {
		return map[string]any{}, nil
	}
	sh := s.Shape(id)
	switch sh.Kind {
	case aws.Structure:
		return minimalStructure(s, sh)
	case aws.List:
		elements := []any{}
		n := smallest(sh)
		if slices.Contains(s.Protocols, "ec2") {
			n = max(n, 1) // a form cannot say that a list is empty
		}
		for range n {
			e, err := Minimal(s, sh.Elem.Shape)
			if err != nil {
				return nil, err
			}
			elements = append(elements, e)
		}
		return elements, nil
	case aws.Map, aws.Doc:
		if smallest(sh) == 0 {
			return map[string]any{}, nil
		}
		e, err := Minimal(s, sh.Elem.Shape)
		return map[string]any{"a": e}, err
	case aws.String:
		return minimalString(sh)
	case aws.Blob:
		return base64.StdEncoding.EncodeToString(make([]byte, smallest(sh))), nil
	case aws.Boolean:
		return false, nil
	default:
		return smallest(sh), nil
	}
}

func smallest(sh *aws.Shape) int {
	if sh.Bounds&aws.HasMin == 0 {
		return 0
	}
	return int(sh.Min)
}

func minimalStructure(s *aws.Service, sh *aws.Shape) (any, error) {
	out := map[string]any{}
	for _, m := range sh.Members {
		if !m.Required {
			continue
		}
		v, err := Minimal(s, m.Shape)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", sh.Name, m.Name, err)
		}
		if list := s.Shape(m.Shape); list.Kind == aws.List && smallest(list) == 0 && slices.Contains(s.Protocols, "ec2") {
			// A form cannot say that a list is there and empty.
			if v, err = Minimal(s, list.Elem.Shape); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", sh.Name, m.Name, err)
			}
			if e := s.Shape(list.Elem.Shape); e.Kind == aws.Structure && len(v.(map[string]any)) == 0 {
				v = map[string]any{e.Members[0].Name: "x"}
			}
			v = []any{v}
		}
		out[m.Name] = v
	}
	return out, nil
}

func minimalString(sh *aws.Shape) (any, error) {
	if len(sh.Enum) > 0 {
		return sh.Enum[0], nil
	}
	pattern := sh.Regexp
	if pattern == "" {
		pattern = sh.Pattern
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, err
	}
	n := max(smallest(sh), 1)
	for _, s := range []string{strings.Repeat("a", n), strings.Repeat("1", n), "arn:aws:iam::000000000000:role/" + strings.Repeat("a", n),
		"arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000",
		"sha256:" + strings.Repeat("0", 64), "00000000-0000-0000-0000-000000000000",
		"example.com"} {
		if size := utf8.RuneCountInString(s); (pattern == "" || re.MatchString(s)) && (sh.Bounds&aws.HasMax == 0 || size <= int(sh.Max)) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s: no sample fits the pattern %s", sh.Name, sh.Pattern)
}

// restTarget is the path and query string of an input; what goes into a body is left out.
func restTarget(s *aws.Service, info *aws.OperationInfo, input any) string {
	members, _ := input.(map[string]any)
	path, query := info.Path, url.Values{}
	for _, m := range s.Shape(info.Input).Members {
		v, ok := members[m.Name]
		switch {
		case !ok:
		case m.Location == "uri":
			path = strings.ReplaceAll(path, "{"+m.Wire()+"}", url.PathEscape(fmt.Sprint(v)))
		case m.Location == "querystring":
			query.Set(m.Wire(), fmt.Sprint(v))
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// encode writes an input in the service's protocol.
func encode(s *aws.Service, info *aws.OperationInfo, input any) (body, contentType string, err error) {
	switch {
	case slices.Contains(s.Protocols, "json"):
		b, err := json.Marshal(input)
		return string(b), "application/x-amz-json-" + s.JSONVersion, err
	case slices.Contains(s.Protocols, "query"):
		form := url.Values{"Action": {info.Name}, "Version": {s.APIVersion}}
		flatten(form, "", input)
		return form.Encode(), "application/x-www-form-urlencoded", nil
	case slices.Contains(s.Protocols, "ec2"):
		form := url.Values{"Action": {info.Name}, "Version": {s.APIVersion}}
		if info.Input != aws.None {
			ec2Form{form, s}.add(info.Input, "", input)
		}
		return form.Encode(), "application/x-www-form-urlencoded", nil
	}
	return "", "", errNoForm
}

// ec2Form is a form as EC2's clients write it: by the names that are for forms only, lists without a word between.
type ec2Form struct {
	url.Values
	service *aws.Service
}

func (f ec2Form) add(id aws.ID, name string, v any) {
	sh := f.service.Shape(id)
	switch v := v.(type) {
	case map[string]any:
		for _, m := range sh.Members {
			if e, ok := v[m.Name]; ok {
				key := m.QueryName
				if key == "" {
					key = strings.ToUpper(m.Wire()[:1]) + m.Wire()[1:]
				}
				f.add(m.Shape, strings.TrimPrefix(name+"."+key, "."), e)
			}
		}
	case []any:
		for i, e := range v {
			f.add(sh.Elem.Shape, fmt.Sprintf("%s.%d", name, i+1), e)
		}
	default:
		f.Set(name, fmt.Sprint(v))
	}
}

func flatten(form url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			flatten(form, strings.TrimPrefix(name+"."+k, "."), e)
		}
	case []any:
		if len(v) == 0 {
			form.Set(name, "") // as clients say an empty list
		}
		for i, e := range v {
			flatten(form, fmt.Sprintf("%s.member.%d", name, i+1), e)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}
