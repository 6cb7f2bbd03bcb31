package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one value that can be configured.
type field struct {
	key   string // path in the YAML file, "turn.relay_ip"
	doc   string
	value reflect.Value // settable, in the config it was made from
}

// env is the name of the environment variable, PARLEY_TURN_RELAY_IP.
func (f field) env() string { return envPrefix + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_")) }

// flag is the name of the flag, turn-relay-ip.
func (f field) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(f.key) }

// secret reports whether the value is shown to nobody.
func (f field) secret() bool {
	t := f.value.Type()
	return t == reflect.TypeFor[secret]() || t == reflect.TypeFor[secrets]()
}

func (f field) bool() bool { return f.value.Kind() == reflect.Bool }
func (f field) list() bool { return f.value.Kind() == reflect.Slice }

// section is a group of fields, a mapping in the YAML file. The first one has no name.
type section struct {
	key, doc string
	fields   []field
}

// sections lists the fields of c in the order in which they are declared.
func sections(c *config) []section {
	out := []section{{}}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		tag, value := v.Type().Field(i).Tag, v.Field(i)
		if value.Kind() != reflect.Struct {
			out[0].fields = append(out[0].fields, field{tag.Get("yaml"), tag.Get("doc"), value})
			continue
		}
		s := section{key: tag.Get("yaml"), doc: tag.Get("doc")}
		for j := range value.NumField() {
			tag := value.Type().Field(j).Tag
			s.fields = append(s.fields, field{s.key + "." + tag.Get("yaml"), tag.Get("doc"), value.Field(j)})
		}
		out = append(out, s)
	}
	return out
}

// fields lists the fields of all sections.
func fields(c *config) []field {
	var out []field
	for _, s := range sections(c) {
		out = append(out, s.fields...)
	}
	return out
}

// set parses raw, as it stands in a flag or a variable, into the field. Lists are separated by commas.
func (f field) set(raw string) error {
	switch v := f.value.Addr().Interface().(type) {
	case *string:
		*v = raw
	case *secret:
		*v = secret(raw)
	case *secrets:
		*v = newSecrets(splitList(raw))
	case *bool:
		b, err := strconv.ParseBool(raw)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", raw)
		}
		*v = b
	case *int:
		n, err := strconv.Atoi(raw)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", raw)
		}
		*v = n
	case *time.Duration:
		d, err := time.ParseDuration(raw)
		if err != nil {
			return fmt.Errorf("%q is not a duration; write it as 10s, 5m or 1h30m", raw)
		}
		*v = d
	case *[]string:
		*v = splitList(raw)
	default:
		return fmt.Errorf("no way to set a %s", f.value.Type())
	}
	return nil
}

// splitList splits at commas, without blanks and empty items.
func splitList(raw string) []string {
	list := strings.Split(raw, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// String is the value as set takes it; a secret is hidden.
func (f field) String() string {
	if list, ok := reflect.TypeAssert[[]string](f.value); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(f.value.Interface())
}
