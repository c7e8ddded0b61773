// Golog reads a log that Comity exported, with code that nobody here wrote: the Go project's
// own packages for signed notes and transparency logs.
//
//	golog DIR
//
// It verifies the checkpoint with log.vkey (the Ed25519 line; these packages know no
// ML-DSA-44), computes the tree from the entry bundles and again from the tiles, compares
// every tile and every bundle of that size byte for byte, and proves some records and some
// earlier trees from the tiles. Anything missing, too much or different is an error.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height    = 8
	width     = 1 << height
	entrySize = 33
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: golog DIR")
		os.Exit(2)
	}
	tree, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "golog:", err)
		os.Exit(1)
	}
	fmt.Printf("%d %s\n", tree.N, tree.Hash)
}

func check(dir string) (tlog.Tree, error) {
	tree, err := openCheckpoint(dir)
	if err != nil {
		return tree, err
	}
	stored, err := readBundles(dir, tree.N)
	if err != nil {
		return tree, err
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil || root != tree.Hash {
		return tree, fmt.Errorf("the entries do not give the signed root: %v", err)
	}
	known, err := compareTiles(dir, tree.N, stored)
	if err != nil {
		return tree, err
	}
	if err := nothingElse(dir, known, tree.N); err != nil {
		return tree, err
	}
	return tree, proveFromTiles(dir, tree, stored)
}

// openCheckpoint verifies the note by the first key of log.vkey that this package knows.
func openCheckpoint(dir string) (tree tlog.Tree, err error) {
	keys, err := os.ReadFile(filepath.Join(dir, "log.vkey"))
	if err != nil {
		return tree, err
	}
	var verifiers []note.Verifier
	for _, line := range strings.Fields(string(keys)) {
		if verifier, err := note.NewVerifier(line); err == nil {
			verifiers = append(verifiers, verifier)
		}
	}
	if len(verifiers) != 1 {
		return tree, fmt.Errorf("log.vkey has %d Ed25519 keys", len(verifiers))
	}
	raw, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(raw, note.VerifierList(verifiers...))
	if err != nil {
		return tree, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != verifiers[0].Name() {
		return tree, fmt.Errorf("the checkpoint is that of %q", origin)
	}
	// The rest is as in the Go checksum database, but for its first line.
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// memory holds the hashes of all complete nodes, in the order of their indices.
type memory []tlog.Hash

func (stored memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		if index >= int64(len(stored)) {
			return nil, errors.New("a hash is not in the tree")
		}
		found[at] = stored[index]
	}
	return found, nil
}

func readBundles(dir string, size int64) (memory, error) {
	var stored memory
	for start := int64(0); start < size; start += width {
		count := size - start
		if count > width {
			count = width
		}
		raw, err := os.ReadFile(filepath.Join(dir, bundlePath(start/width, int(count))))
		if err != nil {
			return nil, err
		}
		for n := start; n < start+count; n++ {
			if len(raw) < 2+entrySize || binary.BigEndian.Uint16(raw) != entrySize {
				return nil, fmt.Errorf("entry %d does not have %d bytes", n, entrySize)
			}
			hashes, err := tlog.StoredHashes(n, raw[2:2+entrySize], stored)
			if err != nil {
				return nil, err
			}
			stored = append(stored, hashes...)
			raw = raw[2+entrySize:]
		}
		if len(raw) != 0 {
			return nil, fmt.Errorf("the bundle of entry %d goes on after its end", start)
		}
	}
	return stored, nil
}

func compareTiles(dir string, size int64, stored memory) (map[string]bool, error) {
	known := make(map[string]bool)
	for _, tile := range tilesOf(size) {
		wanted, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return nil, err
		}
		raw, err := os.ReadFile(filepath.Join(dir, tilePath(tile)))
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(raw, wanted) {
			return nil, fmt.Errorf("%s is not what the entries give", tilePath(tile))
		}
		known[tilePath(tile)] = true
	}
	return known, nil
}

// tilesOf gives the tiles of a tree: each full one, and the partial one at the end of a level.
// NewTiles also gives every narrower tile that the tree had on its way.
func tilesOf(size int64) []tlog.Tile {
	var wanted []tlog.Tile
	for _, tile := range tlog.NewTiles(height, 0, size) {
		last := len(wanted) - 1
		if last >= 0 && wanted[last].L == tile.L && wanted[last].N == tile.N {
			wanted[last] = tile
		} else {
			wanted = append(wanted, tile)
		}
	}
	return wanted
}

// nothingElse refuses files below tile/ that a tree of this size does not have.
func nothingElse(dir string, known map[string]bool, size int64) error {
	for start := int64(0); start < size; start += width {
		count := size - start
		if count > width {
			count = width
		}
		known[bundlePath(start/width, int(count))] = true
	}
	found := 0
	err := filepath.WalkDir(filepath.Join(dir, "tile"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil && !known[filepath.ToSlash(name)] {
			err = fmt.Errorf("%s is not of this tree", name)
		}
		found++
		return err
	})
	if err == nil && found != len(known) {
		err = fmt.Errorf("%d files below tile, and %d were expected", found, len(known))
	}
	return err
}

// tiles reads tiles from the export; their hashes are checked by the package that asks.
type tiles string

func (dir tiles) Height() int { return height }

func (dir tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		raw, err := os.ReadFile(filepath.Join(string(dir), tilePath(tile)))
		if err != nil {
			return nil, err
		}
		found = append(found, raw)
	}
	return found, nil
}

func proveFromTiles(dir string, tree tlog.Tree, stored memory) error {
	reader := tlog.TileHashReader(tree, tiles(dir))
	for _, n := range []int64{0, 1, 254, 255, 256, 65_535, 65_536, tree.N / 2, tree.N - 1} {
		if n >= tree.N {
			continue
		}
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		if err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, stored[tlog.StoredHashIndex(0, n)]); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		older, err := tlog.TreeHash(n+1, stored)
		if err != nil {
			return err
		}
		continued, err := tlog.ProveTree(tree.N, n+1, reader)
		if err != nil {
			return fmt.Errorf("tree of %d: %w", n+1, err)
		}
		if err := tlog.CheckTree(continued, tree.N, tree.Hash, n+1, older); err != nil {
			return fmt.Errorf("tree of %d: %w", n+1, err)
		}
	}
	return nil
}

// tilePath names a tile as C2SP does: without the height that Go's own layout has.
func tilePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

func bundlePath(n int64, count int) string {
	tile := tlog.Tile{H: height, L: 0, N: n, W: count}
	return strings.Replace(tilePath(tile), "tile/0/", "tile/entries/", 1)
}
