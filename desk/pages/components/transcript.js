// The chat. It follows the newest message only while its end is in sight.
export default {
  template: `
    <div class="transcript-frame">
      <div ref="scroller" class="transcript" tabindex="0" role="log" aria-label="Transcript" @scroll="look">
        <div ref="inside" class="inside">
          <button v-if="earlier" type="button" class="earlier" @click="$emit('earlier')">Show earlier messages</button>
          <template v-for="(m, i) in messages" :key="m.id">
            <p v-if="newDay(i)" class="day"><span>{{ day(m.at) }}</span></p>
            <p v-if="m.kind === 'system'" class="system">
              <i class="material-icons" aria-hidden="true">swap_horiz</i>
              <span>{{ m.text }}</span> <time :title="full(m.at)">{{ clock(m.at) }}</time>
            </p>
            <article v-else class="message" :class="[m.kind, { follows: follows(i), lost: m.lost }]" :data-seq="m.seq">
              <p v-if="!follows(i)" class="author">
                <i class="material-icons" aria-hidden="true">{{ icons[m.kind] }}</i>{{ m.name }}
              </p>
              <div class="bubble">
                <p v-if="m.text" class="text">{{ m.text }}</p>
                <div v-for="a in m.attachments" class="attachment">
                  <a v-if="a.url" :href="a.url" target="_blank" rel="noopener noreferrer">
                    <img v-if="a.image" :src="a.url" :alt="a.name" loading="lazy" referrerpolicy="no-referrer">
                    <template v-else><i class="material-icons" aria-hidden="true">attach_file</i>{{ a.name }}</template>
                  </a>
                  <span v-else><i class="material-icons" aria-hidden="true">attach_file</i>{{ a.name }}</span>
                </div>
                <p class="meta"><time :title="full(m.at)">{{ clock(m.at) }}</time>
                  <span v-if="m.status" class="status" :class="m.status.tone" :title="m.status.label">
                    <i class="material-icons" aria-hidden="true">{{ m.status.icon }}</i>
                    <span :class="{ sr: !m.status.shown }">{{ m.status.label }}</span></span>
                </p>
              </div>
              <p v-if="m.failed" class="failed">{{ m.failed }}
                <button v-if="m.again" type="button" class="again" @click="again(m.id, $event)">{{ m.again }}</button>
              </p>
              <p v-if="m.buttons.length" class="offered">
                <span v-for="b in m.buttons"><i v-if="b.link" class="material-icons" aria-hidden="true">open_in_new</i>{{ b.title }}</span>
              </p>
              <p v-if="m.understood" class="understood" :class="{ unsure: m.unsure }" title="What the bot understood">
                <i class="material-icons" aria-hidden="true">psychology</i>{{ m.understood }}
              </p>
              <p v-if="m.decided" class="understood unsure" title="What the bot decided, and why">
                <i class="material-icons" aria-hidden="true">alt_route</i>{{ m.decided }}
              </p>
            </article>
          </template>
          <p v-if="typing" class="typing" role="status"><span class="dots" aria-hidden="true"><b></b><b></b><b></b></span>{{ typing }}</p>
        </div>
      </div>
      <button v-if="fresh" type="button" class="fresh" @click="follow">New message
        <i class="material-icons" aria-hidden="true">arrow_downward</i></button>
    </div>`,
  props: { conversation: String, messages: Array, earlier: Boolean, typing: String },
  emits: ["earlier", "again"],
  data: () => ({
    fresh: false,
    icons: { customer: "face", bot: "smart_toy", agent: "support_agent", note: "lock" },
  }),
  created() {
    this.pinned = true;
  },
  mounted() {
    // Pictures grow after they are loaded, and the composer grows with its text.
    this.observer = new ResizeObserver(() => this.pinned && this.toEnd());
    this.observer.observe(this.$refs.inside);
    this.observer.observe(this.$refs.scroller);
  },
  unmounted() {
    this.observer.disconnect();
  },
  watch: {
    conversation() {
      this.pinned = true;
      this.fresh = false;
    },
    messages: {
      flush: "pre",
      handler(now, before) {
        const scroller = this.$refs.scroller;
        const first = before.length && now.length && before[0].id !== now[0].id;
        const kept = first ? scroller.scrollHeight - scroller.scrollTop : 0;
        const last = (list) => (list.length ? list[list.length - 1].seq : 0);
        if (!this.pinned && last(now) > last(before)) this.fresh = true;
        this.$nextTick(() => {
          if (this.pinned) this.toEnd();
          else if (first) scroller.scrollTop = scroller.scrollHeight - kept;
        });
      },
    },
    typing() {
      this.$nextTick(() => this.pinned && this.toEnd());
    },
  },
  methods: {
    look() {
      const { scrollHeight, scrollTop, clientHeight } = this.$refs.scroller;
      this.pinned = scrollHeight - scrollTop - clientHeight < 60;
      if (this.pinned) this.fresh = false;
    },
    toEnd() {
      this.$refs.scroller.scrollTop = this.$refs.scroller.scrollHeight;
    },
    follow() {
      this.pinned = true;
      this.fresh = false;
      this.toEnd();
    },
    again(message, click) {
      // The second click of a double click would only be told that the first one did it.
      const button = click.target;
      button.disabled = true;
      setTimeout(() => (button.disabled = false), 2000);
      this.$emit("again", message);
    },
    follows(i) {
      const [m, p] = [this.messages[i], this.messages[i - 1]];
      return !!p && p.kind === m.kind && p.name === m.name && m.at - p.at < 300000 && !this.newDay(i);
    },
    newDay(i) {
      return i === 0 || this.day(this.messages[i].at) !== this.day(this.messages[i - 1].at);
    },
    clock: (at) => window.desk.clock(at),
    day: (at) => window.desk.day(at),
    full: (at) => window.desk.full(at),
  },
};
