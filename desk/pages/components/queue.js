// The list of conversations. Waiting times count here, without asking the server.
export default {
  template: `
    <nav class="queue" aria-label="Conversations">
      <div class="tabs" role="tablist">
        <button v-for="t in tabs" :key="t.key" type="button" role="tab" :aria-selected="t.key === tab"
                :class="{ on: t.key === tab }" @click="$emit('tab', t.key)">
          {{ t.label }}<span v-if="t.count" class="count" :class="{ urgent: t.key === 'waiting' }">{{ t.count }}</span>
        </button>
      </div>
      <ul v-if="lines.length" ref="list" class="lines" @keydown="walk">
        <li v-for="line in lines" :key="line.id">
          <button type="button" class="line" :data-conversation="line.id"
                  :class="{ selected: line.id === selected, unread: line.unread }"
                  :aria-current="line.id === selected ? 'true' : null" @click="$emit('open', line.id)">
            <span class="top">
              <i class="material-icons channel" :title="line.channel" aria-hidden="true">{{ line.icon }}</i>
              <span class="name">{{ line.name }}</span>
              <span v-if="line.since" class="wait" :class="heat(line.since)" title="Waiting since">
                <i class="material-icons" aria-hidden="true">schedule</i>{{ elapsed(line.since) }}</span>
              <span v-else-if="line.at" class="ago">{{ ago(line.at) }}</span>
            </span>
            <span class="last"><span class="who" v-if="line.who">{{ line.who }}: </span>{{ line.last }}</span>
            <span class="bottom">
              <span class="tag" :class="line.tone">{{ line.reason }}</span>
              <span v-if="line.assignee" class="assignee">
                <i class="material-icons" aria-hidden="true">person</i>{{ line.assignee }}</span>
              <span v-if="line.unread" class="dot"><span class="sr">unread</span></span>
            </span>
          </button>
        </li>
      </ul>
      <div v-else class="empty">
        <i class="material-icons" aria-hidden="true">{{ loaded ? "done_all" : "hourglass_empty" }}</i>
        <p>{{ loaded ? empty : "Loading…" }}</p>
      </div>
    </nav>`,
  props: { tabs: Array, tab: String, lines: Array, selected: String, empty: String, loaded: Boolean },
  emits: ["tab", "open"],
  data: () => ({ now: Date.now() }),
  mounted() {
    this.ticking = setInterval(() => (this.now = Date.now()), 1000);
    document.addEventListener("keydown", this.jump);
  },
  unmounted() {
    clearInterval(this.ticking);
    document.removeEventListener("keydown", this.jump);
  },
  methods: {
    elapsed(since) {
      return window.desk.elapsed(since, this.now);
    },
    ago(at) {
      return this.now - at < 60000 ? "now" : this.elapsed(at);
    },
    heat(since) {
      const minutes = (this.now - since) / 60000;
      return minutes >= 15 ? "hot" : minutes >= 5 ? "warm" : "";
    },
    buttons() {
      return [...(this.$refs.list?.querySelectorAll("button.line") ?? [])];
    },
    // Arrows move the focus through the list, Enter opens.
    walk(event) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const buttons = this.buttons();
      buttons[buttons.indexOf(document.activeElement) + step]?.focus();
    },
    // j and k open the next and the previous conversation from anywhere but a text field.
    jump(event) {
      const step = { j: 1, k: -1 }[event.key];
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
      if (!step || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const at = this.lines.findIndex((line) => line.id === this.selected);
      const next = this.lines[at < 0 ? 0 : at + step];
      if (next) this.$emit("open", next.id);
    },
  },
};
