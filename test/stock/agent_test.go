package stock

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coder/websocket"
)

//go:embed testdata
var testdata embed.FS

// agent is the double.
type agent struct {
	*server
	backend  string // ECS_BACKEND_HOST
	cluster  string // ECS_CLUSTER
	trust    *tls.Config
	token    string
	edits    []string // pairs: what this one registers with in another way
	arn      string   // of the container instance; what agent.db keeps
	seen     int64    // highest sequence number; agent.db too
	endpoint endpoints

	acs, tcs  *websocket.Conn
	connected bool // in this process
}

type endpoints struct{ Endpoint, TelemetryEndpoint string }

// newAgent is an agent's first start: it registers and opens both sessions.
func (s *server) newAgent() *agent {
	s.Helper()
	a := s.agent()
	a.start()
	return a
}

// agent is one that is not started yet.
func (s *server) agent() *agent {
	return &agent{server: s, backend: s.plain, cluster: cluster, token: "29dd7dee-0a5d-4f8f-bb37-d6ae8767b303"}
}

func (a *agent) start() {
	a.Helper()
	if _, err := a.register(); err != nil {
		a.Fatal(err)
	}
	a.discover()
	if err := a.connect(); err != nil {
		a.Fatal(err)
	}
	a.server.connected(a.arn, true)
}

// text is a file of testdata with the blanks filled in.
func (a *agent) text(file string, pairs ...string) []byte {
	a.Helper()
	data, err := testdata.ReadFile("testdata/" + file + ".json")
	if err != nil {
		a.Fatal(err)
	}
	pairs = append(pairs, "{{cluster}}", a.cluster, "{{token}}", a.token, "{{instance}}", a.arn,
		"{{clusterArn}}", "arn:aws:ecs:"+zone+":"+account+":cluster/"+cluster)
	return []byte(strings.NewReplacer(pairs...).Replace(strings.TrimSpace(string(data))))
}

// apiError is an answer that is not 200.
type apiError struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return e.Type + ": " + e.Message }

// call makes one call of the ECS API as the agent's SDK does.
func (a *agent) call(operation string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(a.ctx, http.MethodPost, a.backend+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	for k, v := range map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonEC2ContainerServiceV20141113." + operation,
		"User-Agent":            "Amazon ECS Agent - v1.105.1 (*a8b3e7d3) (linux; LINUX) (+http://aws.amazon.com/ecs/)",
		"Amz-Sdk-Invocation-Id": "8cc70adf-040a-4c78-9fc4-8db16284d622", "Amz-Sdk-Request": "attempt=1; max=3", "Accept-Encoding": "gzip",
	} {
		r.Header.Set(k, v)
	}
	a.sign(r, body)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: a.trust, DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		e := &apiError{}
		if err := json.Unmarshal(answer, e); err != nil {
			return fmt.Errorf("status %d: %s", resp.StatusCode, answer)
		}
		return e
	}
	return json.Unmarshal(answer, out)
}

func (a *agent) sign(r *http.Request, body []byte) {
	a.Helper()
	sum := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}
	if err := v4.NewSigner().SignHTTP(a.ctx, keys, r, hex.EncodeToString(sum[:]), "ecs", zone, time.Now()); err != nil {
		a.Fatal(err)
	}
}

type attribute struct {
	Name  string
	Value *string
}

// register registers, again if it has an ARN, and insists on every attribute, as the agent does: it exits with 5 otherwise.
func (a *agent) register() (map[string]string, error) {
	a.Helper()
	file := "register"
	if a.arn != "" {
		file = "reregister"
	}
	body := []byte(strings.NewReplacer(a.edits...).Replace(string(a.text(file))))
	var sent struct{ Attributes []attribute }
	if err := json.Unmarshal(body, &sent); err != nil {
		a.Fatal(err)
	}
	var got struct {
		ContainerInstance struct {
			ContainerInstanceArn string
			Attributes           []attribute
		}
	}
	if err := a.call("RegisterContainerInstance", body, &got); err != nil {
		return nil, err
	}
	echoed := map[string]string{}
	for _, e := range got.ContainerInstance.Attributes {
		echoed[e.Name] = aws.ToString(e.Value)
	}
	for _, w := range sent.Attributes {
		if v, ok := echoed[w.Name]; !ok || v != aws.ToString(w.Value) {
			return nil, fmt.Errorf("attribute validation failed: %s is %q", w.Name, v)
		}
	}
	a.arn = got.ContainerInstance.ContainerInstanceArn
	return echoed, nil
}

func (a *agent) discover() {
	a.Helper()
	body := fmt.Sprintf(`{"cluster":%q,"containerInstance":%q,"zoneId":""}`, a.cluster, a.arn)
	if err := a.call("DiscoverPollEndpoint", []byte(body), &a.endpoint); err != nil {
		a.Fatal(err)
	}
}

// connect opens both sessions.
func (a *agent) connect() error {
	a.Helper()
	if err := a.connectACS(); err != nil {
		return err
	}
	var err error
	a.tcs, err = a.dial(a.endpoint.TelemetryEndpoint, url.Values{
		"agentHash": {"a8b3e7d3"}, "agentVersion": {"1.105.1"}, "cluster": {a.cluster}, "containerInstance": {a.arn}, "dockerVersion": {"20.10.24+dfsg1"},
	})
	return err
}

func (a *agent) connectACS() (err error) {
	a.acs, err = a.dial(a.endpoint.Endpoint, url.Values{
		"agentHash": {"a8b3e7d3"}, "agentVersion": {"1.105.1"}, "clusterArn": {a.cluster}, "containerInstanceArn": {a.arn},
		"dockerVersion": {"DockerVersion: 20.10.24+dfsg1"}, "protocolVersion": {"2"}, "seqNum": {"1"},
		"sendCredentials": {strconv.FormatBool(!a.connected)},
	})
	a.connected = a.connected || err == nil
	return err
}

// refused is a handshake that the server refuses, by the exception that its body names.
type refused struct{ exception, message string }

func (r *refused) Error() string { return r.exception + ": " + r.message }

// dial opens a session as the agent's client does: its TLS names the server by what stands in the URL, port included.
func (a *agent) dial(endpoint string, q url.Values) (*websocket.Conn, error) {
	return a.open(endpoint, "", q)
}

// dialAs is dial of a control session, with TLS that names the server by name.
func (a *agent) dialAs(name string, q url.Values) (*websocket.Conn, error) {
	return a.open(a.endpoint.Endpoint, name, q)
}

func (a *agent) open(endpoint, name string, q url.Values) (*websocket.Conn, error) {
	u, err := url.Parse(strings.TrimSuffix(endpoint, "/") + "/ws?" + q.Encode())
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(a.ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	a.sign(r, nil)
	transport := &http.Transport{}
	if a.trust != nil {
		transport.TLSClientConfig = a.trust.Clone()
		transport.TLSClientConfig.ServerName = cmp.Or(name, u.Host)
	}
	ctx, cancel := context.WithTimeout(a.ctx, time.Minute)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPHeader: r.Header, HTTPClient: &http.Client{Transport: transport}})
	if err != nil && resp != nil {
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		said := map[string]string{}
		if json.Unmarshal(body, &said) == nil {
			for k, v := range said {
				return nil, &refused{k, v}
			}
		}
		return nil, fmt.Errorf("%w: %s", err, body)
	}
	if err == nil {
		conn.SetReadLimit(1 << 20)
	}
	return conn, err
}

// stop is the end of the agent's process; what is on its disk stays.
func (a *agent) stop() {
	a.Helper()
	_, _ = a.acs.CloseNow(), a.tcs.CloseNow()
	a.connected = false
	a.server.connected(a.arn, false)
}
