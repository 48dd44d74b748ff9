// Why the chat is with a human: read instead of the chat.
export default {
  template: `
    <details class="brief" :open="open" @toggle="open = $event.target.open">
      <summary>
        <i class="material-icons" aria-hidden="true">bolt</i><b>{{ title }}</b>
        <span class="when">{{ when }}</span>
      </summary>
      <p class="lines">{{ text }}</p>
      <dl v-if="facts.length"><template v-for="f in facts"><dt>{{ f.name }}</dt><dd>{{ f.value }}</dd></template></dl>
    </details>`,
  props: { title: String, text: String, facts: Array, at: Number, answered: Boolean },
  data() {
    return { open: !this.answered };
  },
  watch: {
    // Another handover is news; once it is answered, the chat needs the room.
    at() {
      this.open = !this.answered;
    },
    answered(now) {
      this.open = !now;
    },
  },
  computed: {
    when() {
      return this.at ? `handed over ${window.desk.clock(this.at)}, ${window.desk.day(this.at).toLowerCase()}` : "";
    },
  },
};
