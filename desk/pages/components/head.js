// Above the transcript: who it is, who owns it, and what can be done.
export default {
  template: `
    <div class="head">
      <button type="button" class="quiet to-queue" aria-label="Back to the list" @click="$emit('show', 'queue')">
        <i class="material-icons" aria-hidden="true">arrow_back</i>
      </button>
      <div class="who">
        <h1>{{ title }}</h1>
        <p><span class="tag" :class="tone">{{ state }}</span><span class="via">{{ via }}</span></p>
      </div>
      <div class="actions">
        <button v-for="a in actions" :key="a.key" type="button" :class="a.style" :disabled="!a.able || busy"
                :title="a.hint" :aria-label="a.label" :data-action="a.key" @click="act(a.key)">
          <i class="material-icons" aria-hidden="true">{{ a.icon }}</i><span>{{ a.label }}</span>
        </button>
        <button type="button" class="quiet to-card" aria-label="Customer" title="Customer" @click="$emit('show', 'card')">
          <i class="material-icons" aria-hidden="true">contact_page</i>
        </button>
      </div>
    </div>`,
  props: { title: String, via: String, state: String, tone: String, actions: Array },
  emits: ["act", "show"],
  data: () => ({ busy: false }),
  watch: {
    actions() {
      this.busy = false;
    },
  },
  methods: {
    act(key) {
      this.busy = true;
      this.$emit("act", key);
      // Whatever became of it, the buttons come back.
      setTimeout(() => (this.busy = false), 3000);
    },
    free() {
      this.busy = false;
    },
  },
};
