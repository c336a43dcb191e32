package seam

import (
	"encoding/json"
	"errors"
	"fmt"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/berth-ecs/berth/proxyconf"
)

// Extra is what only the relay needs of a cluster.
type Extra struct {
	Part      string
	Cluster   string           // as the part calls it: the group's ARN
	Endpoints string           // name of the Endpoints
	Space     string           // eni-..., from where targets are looked at; "" is the machine's own network
	Check     *proxyconf.Check `json:",omitempty"` // nil: targets are healthy unseen
	Protocol  string           // of the cluster: http1, http2 or tcp
	End       bool             `json:",omitempty"` // connections end when a target's deregistration is over
	Fail      bool             `json:",omitempty"` // connections end when a target becomes unhealthy
	// With fewer healthy targets, or fewer of a hundred than MinPercent, all get requests.
	MinHealthy, MinPercent int `json:",omitempty"`
}

// MetadataKey is where Envoy's resources have what is berth's; GroupKey is, in that of a cluster, how the part calls it.
const (
	MetadataKey = "berth"
	GroupKey    = "group"
	extraKey    = "extra"
)

// Metadata is a cluster's metadata that says e.
func (e Extra) Metadata() (*core.Metadata, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("what the relay needs of a cluster: %w", err)
	}
	return &core.Metadata{FilterMetadata: map[string]*structpb.Struct{
		MetadataKey: {Fields: map[string]*structpb.Value{extraKey: structpb.NewStringValue(string(text)), GroupKey: structpb.NewStringValue(e.Cluster)}},
	}}, nil
}

var errNoExtra = errors.New("the cluster does not say what the relay needs of it")

// ExtraOf reads what Metadata wrote.
func ExtraOf(m *core.Metadata) (Extra, error) {
	text := m.GetFilterMetadata()[MetadataKey].GetFields()[extraKey].GetStringValue()
	if text == "" {
		return Extra{}, errNoExtra
	}
	var e Extra
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return Extra{}, fmt.Errorf("what the relay needs of a cluster: %w", err)
	}
	return e, nil
}
