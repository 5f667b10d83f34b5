export default {
  title: "Frota",
  empty: { title: "Nenhuma linha ainda", text: "Quando os clientes conectarem seus números, a frota aparece aqui." },
};
