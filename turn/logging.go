package turn

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/pion/logging"
	"golang.org/x/time/rate"
)

// pionLog passes pion's warnings and errors on as Debug records, at most one a second: they are about single packets and
// name addresses. Its other levels say nothing: pion uses them for every packet.
type pionLog struct {
	log   *slog.Logger
	limit *rate.Limiter
}

var (
	_ logging.LoggerFactory = (*pionLog)(nil)
	_ logging.LeveledLogger = (*pionLog)(nil)
)

func newPionLog(log *slog.Logger) *pionLog {
	return &pionLog{log: log, limit: rate.NewLimiter(rate.Every(time.Second), 1)}
}

func (l *pionLog) NewLogger(string) logging.LeveledLogger { return l }

func (l *pionLog) Trace(string)          {}
func (l *pionLog) Tracef(string, ...any) {}
func (l *pionLog) Debug(string)          {}
func (l *pionLog) Debugf(string, ...any) {}
func (l *pionLog) Info(string)           {}
func (l *pionLog) Infof(string, ...any)  {}
func (l *pionLog) Warn(msg string)       { l.record(msg) }
func (l *pionLog) Error(msg string)      { l.record(msg) }

func (l *pionLog) Warnf(format string, args ...any)  { l.recordf(format, args...) }
func (l *pionLog) Errorf(format string, args ...any) { l.recordf(format, args...) }

func (l *pionLog) record(msg string) {
	if l.limit.Allow() {
		l.log.Debug("pion", "msg", msg)
	}
}

func (l *pionLog) recordf(format string, args ...any) {
	if l.limit.Allow() {
		l.log.Debug("pion", "msg", fmt.Sprintf(format, args...))
	}
}
