// The line above everything: whose desk it is, the theme, the way out.
export default {
  template: `
    <header class="topbar">
      <div class="brand"><img :src="base + '/static/icon.svg'" alt="" width="24" height="24"> Frontdesk</div>
      <p v-if="problem" class="outage" role="status"><i class="material-icons" aria-hidden="true">cloud_off</i>{{ problem }}</p>
      <span class="spring"></span>
      <button class="quiet" type="button" :title="'Theme: ' + theme" :aria-label="'Theme: ' + theme" @click="turn">
        <i class="material-icons" aria-hidden="true">{{ icons[theme] }}</i>
      </button>
      <span class="me" :title="email">{{ name }}</span>
      <form method="post" :action="base + '/logout'">
        <button class="quiet" type="submit" title="Log out" aria-label="Log out">
          <i class="material-icons" aria-hidden="true">logout</i>
        </button>
      </form>
    </header>`,
  props: { base: String, name: String, email: String, problem: String },
  data: () => ({
    theme: window.desk.theme(),
    icons: { auto: "brightness_auto", light: "light_mode", dark: "dark_mode" },
  }),
  methods: {
    turn() {
      this.theme = window.desk.nextTheme();
    },
  },
};
