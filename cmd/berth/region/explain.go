package region

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/feed"
	"github.com/berth-ecs/berth/vpc/path"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// explainer answers where a packet goes: GET ?from=&to=&port=&protocol=&source-port=&vpc=, signed by root.
type explainer struct {
	store    store.Store
	settings compile.Settings
	verify   func(*http.Request) (sigv4.Identity, error)
	log      *slog.Logger
}

func newExplainer(c Config, r rooms) explainer {
	regions, every := regionsOf(c.Settings)
	v := &sigv4.Verifier{Keys: r.keys, Now: clock.Now, Service: "ec2", Regions: regions, AnyRegion: every}
	return explainer{store: r.store, settings: compileSettings(), verify: v.VerifyUpgrade, log: c.Log.With("component", "explain")}
}

// compileSettings are what nodes' configurations are made of beside records.
func compileSettings() compile.Settings {
	return compile.Settings{PrefixList: func(region, id string) []netip.Prefix {
		list, _ := vpc.PrefixListOf(vpc.Home{Region: region}, id)
		return list.Entries
	}}
}

// ServeHTTP implements http.Handler.
func (x explainer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, err := x.verify(r)
	if err != nil || !caller.IsRoot() {
		http.Error(w, "only root may ask", http.StatusForbidden)
		return
	}
	records := compile.NewRecords()
	err = x.store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		for rec := range feed.Records(tx) {
			records.Apply(compile.Change{New: rec})
		}
		return nil
	})
	if err != nil {
		http.Error(w, "the store is not available", http.StatusServiceUnavailable)
		return
	}
	q, err := question(records, vpc.Home{Account: caller.Key.Account, Region: caller.Scope.Region}, r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(path.Explain(records, x.settings, q)); err != nil {
		x.log.Debug("answer explain", "error", err)
	}
}

// question reads what is asked.
func question(r *compile.Records, h vpc.Home, v url.Values) (path.Query, error) {
	at := path.Scope{Home: h, VPC: v.Get("vpc")}
	var q path.Query
	var errs [5]error
	q.From, errs[0] = path.Resolve(r, at, v.Get("from"))
	q.To, errs[1] = path.Resolve(r, at, v.Get("to"))
	switch p := v.Get("protocol"); p {
	case "tcp":
		q.Protocol = path.TCP
	case "udp":
		q.Protocol = path.UDP
	case "icmp":
		q.Protocol = path.ICMP
	default:
		errs[2] = fmt.Errorf("protocol %q is not tcp, udp or icmp", p)
	}
	if q.Protocol != path.ICMP {
		q.Port, errs[4] = portOf(v.Get("port"))
	}
	if p := v.Get("source-port"); p != "" {
		q.SourcePort, errs[3] = portOf(p)
	}
	if q.From.Interface == nil && q.To.Interface == nil && errs[0] == nil && errs[1] == nil {
		errs[0] = errors.New("neither FROM nor TO is an interface of a network here")
	}
	return q, errors.Join(errs[:]...)
}

func portOf(text string) (int32, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("port %q is not a number from 1 to 65535", text)
	}
	return int32(n), nil
}
