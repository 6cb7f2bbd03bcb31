package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reference opens the output of "parley config".
const reference = `Parley's configuration: every key, what it means, and the value in effect.
Each key can be set in this file (parley --config FILE), by an environment variable (listen by PARLEY_LISTEN,
turn.relay_ip by PARLEY_TURN_RELAY_IP) and by a flag (--listen, --turn-relay-ip). Flags win over the environment, that
over the file. In variables and flags the items of a list are separated by commas.`

// commentWidth is where comments are broken, in characters.
const commentWidth = 100

// printConfig writes c as YAML with a comment above each key, such that reading it gives c again. The secret is left out.
func printConfig(w io.Writer, c config) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	var secrets []string
	for _, s := range sections(&c) {
		into := root
		if s.key != "" {
			into = &yaml.Node{Kind: yaml.MappingNode}
			root.Content = append(root.Content, keyNode(s.key, s.doc), into)
		}
		for _, f := range s.fields {
			if f.secret() {
				state := "not set"
				if f.value.Len() > 0 {
					state = "set, and not shown"
				}
				secrets = append(secrets, fmt.Sprintf("%s\n%s: (%s)", wrap(f.doc), strings.TrimPrefix(f.key, s.key+"."), state))
				continue
			}
			value := &yaml.Node{}
			if err := value.Encode(f.value.Interface()); err != nil {
				return err
			}
			if f.list() {
				value.Style = yaml.FlowStyle
			}
			key := keyNode(strings.TrimPrefix(f.key, s.key+"."), f.doc)
			if len(secrets) > 0 {
				key.HeadComment = strings.Join(append(secrets, key.HeadComment), "\n\n")
				secrets = nil
			}
			into.Content = append(into.Content, key, value)
		}
	}
	root.Content[0].HeadComment = reference + "\n\n" + root.Content[0].HeadComment
	return writeYAML(w, root)
}

func keyNode(key, doc string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: key, HeadComment: wrap(doc)}
}

func writeYAML(w io.Writer, n *yaml.Node) error {
	var b strings.Builder
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	// A blank line above each comment that follows a value: the encoder sets none between keys.
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	for i, last := range slices.Backward(lines) {
		if i == 0 {
			break
		}
		comment := func(s string) bool { return strings.HasPrefix(strings.TrimSpace(s), "#") }
		section := strings.HasSuffix(lines[i-1], ":") && !comment(lines[i-1])
		if comment(last) && !comment(lines[i-1]) && lines[i-1] != "" && !section {
			lines = slices.Insert(lines, i, "")
		}
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// wrap breaks text at blanks.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > commentWidth:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
