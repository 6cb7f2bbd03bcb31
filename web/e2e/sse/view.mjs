// What a watcher makes of a room's events: the people in it. It is strict: an event that comes twice, too early or not
// at all is an error.
import assert from 'node:assert/strict';

export const types = ['snapshot', 'joined', 'left', 'published', 'unpublished', 'updated', 'speaking'];

export class View {
  people = new Map();
  snapshots = 0;
  events = 0;
  last = '';
  problem = null;

  /** Takes one event as any client gives it. */
  take(type, id, data) {
    try {
      const event = JSON.parse(data);
      assert.equal(event.position, id, 'the id is the position');
      const [epoch, seq] = id.split('.');
      const [lastEpoch, lastSeq] = this.last.split('.');
      if (type === 'snapshot') {
        this.snapshots++;
        this.people = new Map(event.participants.map((p) => [p.id, p.name]));
      } else {
        this.events++;
        assert.equal(epoch, lastEpoch, 'a new epoch begins with a snapshot');
        assert.ok(BigInt(seq) > BigInt(lastSeq), `positions rise: ${id} after ${this.last}`);
        if (type === 'joined') {
          assert.ok(!this.people.has(event.participant.id), 'nobody joins twice');
          this.people.set(event.participant.id, event.participant.name);
        } else if (type === 'left') assert.ok(this.people.delete(event.participant), 'who leaves was there');
      }
      this.last = id;
    } catch (e) {
      this.problem ??= e;
    }
  }

  get names() {
    return [...this.people.values()].sort();
  }
}
