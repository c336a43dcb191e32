package request

import aws "github.com/berth-ecs/berth/wire/shape"

// Token reads a client token of at most a length; "" when there is none.
func Token(token *string, longest int) (string, error) {
	s := aws.Val(token)
	if len(s) > longest {
		return "", Invalid("clientToken must be at most %d characters long.", longest)
	}
	for _, r := range s {
		if r < 33 || r > 126 {
			return "", Invalid("clientToken must hold ASCII characters between 33 and 126 only.")
		}
	}
	return s, nil
}
