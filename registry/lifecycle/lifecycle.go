// Package lifecycle reads lifecycle policies of repositories and decides which images they expire.
//
// Guarantees: it is pure; a policy that is accepted can be evaluated; an image is expired by at most one rule, the one of
// the smallest priority number that selects it; and a rule never sees an image that a rule before it selected, whether
// or not that one expired it.
package lifecycle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Policy is a lifecycle policy: its rules by priority.
type Policy struct {
	Rules []Rule `json:"rules"`
}

// Rule says which images expire.
type Rule struct {
	Priority    *int32    `json:"rulePriority"`
	Description string    `json:"description"`
	Selection   Selection `json:"selection"`
	Action      Action    `json:"action"`
}

// Selection is which images a rule is about, and how many or how old they may be.
type Selection struct {
	TagStatus    string   `json:"tagStatus"`
	StorageClass string   `json:"storageClass"`
	Prefixes     []string `json:"tagPrefixList"`
	Patterns     []string `json:"tagPatternList"`
	CountType    string   `json:"countType"`
	CountUnit    string   `json:"countUnit"`
	CountNumber  *int64   `json:"countNumber"`
}

// Action is what becomes of the images.
type Action struct {
	Type               string `json:"type"`
	TargetStorageClass string `json:"targetStorageClass"`
}

// The words of a policy.
const (
	Tagged   = "tagged"
	Untagged = "untagged"
	Any      = "any"

	More   = "imageCountMoreThan"
	Pushed = "sinceImagePushed"
	Pulled = "sinceImagePulled"
)

// AWS's limits.
const (
	maxRules    = 50
	maxWildcard = 4
)

// Parse reads a policy and holds it to AWS's rules; the error says which rule it breaks.
func Parse(text string) (Policy, error) {
	var p Policy
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("the policy is not a valid JSON document: %w", err)
	}
	if d.More() {
		return Policy{}, errors.New("the policy is not a valid JSON document: something follows it")
	}
	if len(p.Rules) == 0 || len(p.Rules) > maxRules {
		return Policy{}, fmt.Errorf("a policy has 1 to %d rules", maxRules)
	}
	for i := range p.Rules {
		if err := p.Rules[i].check(); err != nil {
			return Policy{}, fmt.Errorf("rules[%d]: %w", i, err)
		}
	}
	slices.SortStableFunc(p.Rules, func(a, b Rule) int { return int(*a.Priority) - int(*b.Priority) })
	return p, p.together()
}

// together checks what holds of the rules in order.
func (p Policy) together() error {
	untagged := false
	for i, r := range p.Rules {
		if i > 0 && *p.Rules[i-1].Priority == *r.Priority {
			return fmt.Errorf("rulePriority %d is given twice", *r.Priority)
		}
		switch r.Selection.TagStatus {
		case Any:
			if i != len(p.Rules)-1 {
				return errors.New("a rule with tagStatus any must have the highest rulePriority, and there is one at most")
			}
		case Untagged:
			if untagged && r.Selection.CountType == p.Rules[i-1].Selection.CountType {
				return errors.New("there is at most one rule with tagStatus untagged of each countType")
			}
			untagged = true
		}
	}
	return nil
}

func (r *Rule) check() error {
	if r.Priority == nil || *r.Priority < 1 {
		return errors.New("rulePriority must be at least 1")
	}
	if r.Action.Type != "expire" {
		return fmt.Errorf("action type %q is not available in this region: use expire", r.Action.Type)
	}
	if r.Action.TargetStorageClass != "" || r.Selection.StorageClass != "" && r.Selection.StorageClass != "standard" {
		return errors.New("storage classes are not available in this region")
	}
	s := &r.Selection
	if err := s.checkTags(); err != nil {
		return err
	}
	if s.CountNumber == nil || *s.CountNumber < 1 {
		return errors.New("countNumber must be at least 1")
	}
	switch s.CountType {
	case More:
		if s.CountUnit != "" {
			return fmt.Errorf("countUnit cannot be given with countType %s", More)
		}
	case Pushed, Pulled:
		if s.CountUnit != "days" {
			return fmt.Errorf("countUnit must be days with countType %s", s.CountType)
		}
	default:
		return fmt.Errorf("countType %q is not one of %s, %s, %s", s.CountType, More, Pushed, Pulled)
	}
	return nil
}

func (s *Selection) checkTags() error {
	lists := len(s.Prefixes) + len(s.Patterns)
	switch s.TagStatus {
	case Tagged:
		if len(s.Prefixes) > 0 == (len(s.Patterns) > 0) {
			return errors.New("tagStatus tagged needs either tagPrefixList or tagPatternList")
		}
	case Untagged, Any:
		if lists > 0 {
			return errors.New("tagPrefixList and tagPatternList can only be given with tagStatus tagged")
		}
	default:
		return fmt.Errorf("tagStatus %q is not one of tagged, untagged, any", s.TagStatus)
	}
	for _, p := range s.Patterns {
		if strings.Count(p, "*") > maxWildcard {
			return fmt.Errorf("a pattern has at most %d wildcards", maxWildcard)
		}
	}
	if slices.Contains(s.Prefixes, "") || slices.Contains(s.Patterns, "") {
		return errors.New("an empty tag prefix or pattern")
	}
	return nil
}
