export default {
  title: "Fleet",
  empty: { title: "No lines yet", text: "Once tenants connect their numbers, the fleet shows here." },
};
