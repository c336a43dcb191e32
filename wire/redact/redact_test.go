package redact

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/wire/internal/arbitrary"
	"github.com/berth-ecs/berth/wire/internal/toy/toyjson"
	aws "github.com/berth-ecs/berth/wire/shape"
)

const secret = "the secret itself"

// plant puts the secret wherever a Secret member may stand.
func plant(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			plant(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Secret" {
				v.Field(i).Set(reflect.ValueOf(aws.Ptr(secret)))
				continue
			}
			plant(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			plant(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			plant(e)
			v.SetMapIndex(k, e)
		}
	default: // scalars hold nothing
	}
}

func TestSecretsNeverShow(t *testing.T) {
	id := toyjson.OpEcho.Info.Input
	rapid.Check(t, func(t *rapid.T) {
		var in toyjson.EchoInput
		arbitrary.Drawer{T: t, Service: &toyjson.Model}.Fill(id, &in, 4)
		plant(reflect.ValueOf(&in))
		in.Open = aws.Document(`"` + secret + `"`)
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "input", Input{&toyjson.Model, id, &in})
		if strings.Contains(b.String(), secret) {
			t.Fatal(b.String())
		}
	})
}

func TestValue(t *testing.T) {
	in := toyjson.EchoInput{
		Text: aws.Ptr("seen"), Secret: aws.Ptr(secret), Words: []string{}, Parts: []toyjson.Part{{Name: aws.Ptr("a"), Secret: aws.Ptr(secret)}},
		Labels: map[string]string{"a": "b"},
	}
	b, err := json.Marshal(Value(&toyjson.Model, toyjson.OpEcho.Info.Input, &in))
	want := `{"Labels":{"a":"b"},"Parts":[{"Name":"a","Secret":"` + Hidden + `"}],"Secret":"` + Hidden + `","Text":"seen","Words":[]}`
	if err != nil || string(b) != want {
		t.Errorf("got %s, %v\nwant %s", b, err, want)
	}
	if Value(&toyjson.Model, aws.None, nil) != nil {
		t.Error("no input is not nil")
	}
}
