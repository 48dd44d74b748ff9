// Where agents write. The draft belongs to the conversation: it survives switching and reloading.
const key = (conversation) => `desk-draft-${conversation}`;

export default {
  template: `
    <form class="composer" :class="{ note: asNote }" @submit.prevent="send">
      <div class="modes" role="radiogroup" aria-label="What to write">
        <button type="button" role="radio" :aria-checked="!asNote" :class="{ on: !asNote }" :disabled="!mayReply"
                data-mode="reply" @click="wanted = 'reply'">Reply</button>
        <button type="button" role="radio" :aria-checked="asNote" :class="{ on: asNote }"
                data-mode="note" @click="wanted = 'note'"><i class="material-icons" aria-hidden="true">lock</i>Internal note</button>
        <span class="hint" v-if="hint">{{ hint }}</span>
        <span class="hint keys" v-else>Enter sends · Shift+Enter new line</span>
      </div>
      <div class="field">
        <textarea ref="text" v-model="text" rows="1" :maxlength="longest" :readonly="sending"
                  :aria-label="asNote ? 'Internal note' : 'Reply to the customer'" :placeholder="placeholder"
                  @input="typed" @keydown.enter="enter"></textarea>
        <button type="submit" class="primary" :disabled="!text.trim() || sending" :aria-label="asNote ? 'Save note' : 'Send'">
          <i class="material-icons" aria-hidden="true">{{ asNote ? "note_add" : "send" }}</i>
          <span>{{ asNote ? "Save note" : "Send" }}</span>
        </button>
      </div>
    </form>`,
  props: { conversation: String, mayReply: Boolean, hint: String, longest: Number },
  emits: ["send", "typing"],
  data: () => ({ text: "", wanted: "reply", sending: false }),
  computed: {
    asNote() {
      return this.wanted === "note" || !this.mayReply;
    },
    placeholder() {
      return this.asNote ? "Only agents see this note" : "Write to the customer";
    },
  },
  watch: {
    conversation() {
      this.wanted = "reply";
      this.load();
    },
    mayReply(now) {
      // A note begun before taking the chat must not go to the customer.
      if (now && this.text.trim()) this.wanted = "note";
    },
    text(now) {
      if (now) sessionStorage.setItem(key(this.conversation), now);
      else sessionStorage.removeItem(key(this.conversation));
      this.$nextTick(this.grow);
    },
  },
  mounted() {
    this.lastTyping = 0;
    this.load();
  },
  methods: {
    load() {
      this.sending = false;
      this.text = sessionStorage.getItem(key(this.conversation)) ?? "";
      this.$nextTick(this.grow);
    },
    grow() {
      const field = this.$refs.text;
      if (!field) return;
      field.style.height = "auto";
      field.style.height = `${Math.min(field.scrollHeight, 180)}px`;
    },
    typed() {
      if (this.asNote || Date.now() - this.lastTyping < 3000) return;
      this.lastTyping = Date.now();
      this.$emit("typing");
    },
    enter(event) {
      // While an input method composes a word, Enter accepts it.
      if (event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    },
    send() {
      if (!this.text.trim() || this.sending) return;
      this.sending = true;
      this.$emit("send", { conversation: this.conversation, text: this.text, note: this.asNote });
      clearTimeout(this.giveUp);
      this.giveUp = setTimeout(() => (this.sending = false), 10000);
    },
    // The server's word: the text is stored, or stays here to be sent again.
    done(conversation, stored) {
      if (stored) sessionStorage.removeItem(key(conversation));
      if (conversation !== this.conversation) return;
      this.sending = false;
      this.lastTyping = 0;
      if (stored) this.text = "";
      this.$nextTick(() => this.$refs.text?.focus());
    },
  },
};
