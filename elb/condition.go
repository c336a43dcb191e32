package elb

import (
	"net/netip"
	"regexp"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Fields of conditions.
const (
	FieldHost   = "host-header"
	FieldPath   = "path-pattern"
	FieldHeader = "http-header"
	FieldMethod = "http-request-method"
	FieldQuery  = "query-string"
	FieldSource = "source-ip"
)

// Limits of conditions.
const (
	MaxConditionValues    = 5 // of a rule
	MaxConditionWildcards = 6 // of a rule
	maxPattern            = 128
	maxHeaderName         = 40
	maxMethod             = 40
)

// Conditions are what a request asks for.
func Conditions(in []shape.RuleCondition) ([]Condition, error) {
	if len(in) == 0 {
		return nil, Invalid("A condition must be specified")
	}
	var out []Condition
	once := map[string]bool{}
	values, wildcards := 0, 0
	for _, rc := range in {
		c, err := condition(rc)
		if err != nil {
			return nil, err
		}
		if once[c.Field] && c.Field != FieldHeader && c.Field != FieldQuery {
			return nil, Invalid("Only one '%s' condition can be specified for each rule", c.Field)
		}
		once[c.Field] = true
		values += len(c.Values) + len(c.Regex) + len(c.Query)
		wildcards += c.wildcards()
		out = append(out, c)
	}
	switch {
	case values > MaxConditionValues:
		return nil, Invalid("Rules cannot have more than '%d' condition values", MaxConditionValues)
	case wildcards > MaxConditionWildcards:
		return nil, Invalid("Rules cannot have more than '%d' wildcards", MaxConditionWildcards)
	}
	return out, nil
}

func (c Condition) wildcards() (n int) {
	if c.Field == FieldMethod || c.Field == FieldSource {
		return 0
	}
	all := append([]string{}, c.Values...)
	for _, q := range c.Query {
		all = append(all, q.Key, q.Value)
	}
	for _, v := range all {
		v = strings.NewReplacer(`\*`, "", `\?`, "", `\\`, "").Replace(v)
		n += strings.Count(v, "*") + strings.Count(v, "?")
	}
	return n
}

// condition is one, with its values where the request has them: in the field's configuration or beside it.
func condition(in shape.RuleCondition) (Condition, error) {
	c := Condition{Field: aws.Val(in.Field), Values: in.Values, Regex: in.RegexValues}
	take := func(values, regex []string) {
		if len(values) > 0 {
			c.Values = values
		}
		if len(regex) > 0 {
			c.Regex = regex
		}
	}
	if h := in.HostHeaderConfig; h != nil && c.Field == FieldHost {
		take(h.Values, h.RegexValues)
	}
	if p := in.PathPatternConfig; p != nil && c.Field == FieldPath {
		take(p.Values, p.RegexValues)
	}
	if h := in.HttpHeaderConfig; h != nil && c.Field == FieldHeader {
		take(h.Values, h.RegexValues)
		c.Header = aws.Val(h.HttpHeaderName)
	}
	if m := in.HttpRequestMethodConfig; m != nil && c.Field == FieldMethod {
		take(m.Values, nil)
	}
	if s := in.SourceIpConfig; s != nil && c.Field == FieldSource {
		take(s.Values, nil)
	}
	if q := in.QueryStringConfig; q != nil && c.Field == FieldQuery {
		for _, v := range q.Values {
			c.Query = append(c.Query, Pair{aws.Val(v.Key), aws.Val(v.Value)})
		}
	}
	return c, c.check()
}

func (c Condition) check() error {
	switch {
	case c.Field == "":
		return Invalid("A condition field must be specified")
	case c.Field != FieldQuery && len(c.Values) == 0 && len(c.Regex) == 0, c.Field == FieldQuery && len(c.Query) == 0:
		return Invalid("A condition value must be specified for the condition field '%s'", c.Field)
	case len(c.Values) > 0 && len(c.Regex) > 0:
		return Invalid("The condition field '%s' can have either values or regular expressions, but not both", c.Field)
	case len(c.Regex) > 0 && c.Field != FieldHost && c.Field != FieldPath && c.Field != FieldHeader:
		return Invalid("Regular expressions are not supported for the condition field '%s'", c.Field)
	}
	if err := c.regexes(); err != nil {
		return err
	}
	switch c.Field {
	case FieldHost:
		return c.each(maxPattern, hostRunes)
	case FieldPath:
		return c.each(maxPattern, pathRunes)
	case FieldHeader:
		return c.header()
	case FieldMethod:
		return c.each(maxMethod, methodRunes)
	case FieldQuery:
		return c.query()
	case FieldSource:
		return c.sources()
	}
	return Invalid("Condition field '%s' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", c.Field)
}

func (c Condition) regexes() error {
	for _, r := range c.Regex {
		if _, err := regexp.Compile(r); err != nil || len(r) > maxPattern {
			return Invalid("The regular expression '%s' is not valid: it must be RE2 syntax of at most %d characters", r, maxPattern)
		}
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Characters that values may have.
const (
	hostRunes   = letters + "-.*?"
	pathRunes   = letters + `_-.$/~"'@:+&()!,;=%*?\`
	methodRunes = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	nameRunes   = letters + "!#$%&'*+-.^_`|~"
)

func (c Condition) each(most int, runes string) error {
	for _, v := range c.Values {
		switch {
		case v == "" || len(v) > most:
			return Invalid("The value '%s' of the condition field '%s' must have 1 to %d characters", v, c.Field, most)
		case strings.ContainsFunc(v, func(r rune) bool { return !strings.ContainsRune(runes, r) }):
			return Invalid("The value '%s' of the condition field '%s' contains characters that are not valid", v, c.Field)
		}
	}
	return nil
}

func printable(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r >= 0x7f })
}

func (c Condition) header() error {
	odd := func(r rune) bool { return !strings.ContainsRune(nameRunes, r) }
	switch {
	case c.Header == "" || len(c.Header) > maxHeaderName || strings.ContainsFunc(c.Header, odd):
		return Invalid("The HTTP header name '%s' is not valid: it must have 1 to %d characters of a token", c.Header, maxHeaderName)
	case strings.EqualFold(c.Header, "Host"):
		return Invalid("The HTTP header name 'Host' is not valid: use the condition field '%s'", FieldHost)
	}
	for _, v := range c.Values {
		if v == "" || len(v) > maxPattern || !printable(v) {
			return Invalid("The value '%s' of the condition field '%s' must have 1 to %d printable characters", v, c.Field, maxPattern)
		}
	}
	return nil
}

func (c Condition) query() error {
	for _, q := range c.Query {
		if q.Value == "" || len(q.Key) > maxPattern || len(q.Value) > maxPattern || !printable(q.Key+q.Value) {
			return Invalid("A value of the condition field '%s' must have 1 to %d printable characters", c.Field, maxPattern)
		}
	}
	return nil
}

func (c Condition) sources() error {
	for _, v := range c.Values {
		if p, err := netip.ParsePrefix(v); err != nil || p.Masked() != p {
			return Invalid("The value '%s' of the condition field '%s' must be a valid CIDR", v, c.Field)
		}
	}
	return nil
}
