// Verifies a signed checkpoint and a proof of a leaf with golang.org/x/mod/sumdb: verify PROOF LEAF VKEY.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "not verified:", err)
		os.Exit(1)
	}
}

func hash(text string) (hash tlog.Hash) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	check(err)
	copy(hash[:], bytes)
	return hash
}

func main() {
	file, err := os.ReadFile(os.Args[1])
	check(err)
	leaf, err := os.ReadFile(os.Args[2])
	check(err)
	verifier, err := note.NewVerifier(os.Args[3])
	check(err)
	head, signed, _ := strings.Cut(string(file), "\n\n")
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	check(err)
	body := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(body[1], 10, 64)
	check(err)
	index, proof := int64(-1), tlog.RecordProof{}
	for _, line := range strings.Split(head, "\n")[1:] {
		if number := strings.TrimPrefix(line, "index "); number != line {
			index, err = strconv.ParseInt(number, 10, 64)
			check(err)
		} else if !strings.HasPrefix(line, "extra ") {
			proof = append(proof, hash(line))
		}
	}
	check(tlog.CheckRecord(proof, size, hash(body[2]), index, tlog.RecordHash(leaf)))
	fmt.Println(index, "of", size)
}
