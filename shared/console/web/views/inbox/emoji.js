// List the emoji that people use most, by group. A keyboard has the others.

const split = (text) => text.trim().split(/\s+/);

/** The emoji offered first for a reaction, as on WhatsApp. */
export const REACTIONS = split("👍 ❤️ 😂 😮 😢 🙏");

export const GROUPS = {
  faces: split(`😀 😃 😄 😁 😆 😅 😂 🤣 😊 😇 🙂 🙃 😉 😌 😍 🥰 😘 😋 😜 🤪 🤨 🧐 🤓 😎 🥳 😏 😒 😞 😔 😟 😕 🙁 😣 😖 😫 😩 🥺 😢 😭 😤 😠 😡 🤬 🤯 😳 🥵 🥶
    😱 😨 😰 😥 😓 🤗 🤔 🤭 🤫 🤥 😶 😐 😑 😬 🙄 😯 😮 🥱 😴 🤤 🤢 🤮 🤧 😷 🤒 🤕`),
  hands: split("👍 👎 👌 ✌️ 🤞 🤟 🤘 🤙 👈 👉 👆 👇 ☝️ ✋ 🖐️ 👋 👏 🙌 👐 🤝 🙏 💪 ✍️ 🤳 🙋 🤷 🤦 🙇 💁 👀"),
  hearts: split("❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💕 💞 💓 💖 💘 💝 💯 ✨ ⭐ 🌟 🔥 💥 🎉 🎊 🎁 🎂 🏆"),
  things: split("📷 📞 📱 💻 🖨️ ⌚ 💡 🔑 🔒 📌 📎 ✂️ 📝 📄 📅 📈 📉 📦 🛒 🛍️ 💰 💳 🧾 ✉️ 📣 🔔 ⏰ ⏳ 🔧 🏠 🏢 🚗 🚚 🛵 ✈️ 🚀"),
  food: split("☕ 🍵 🥤 🍺 🍷 🥂 🍕 🍔 🍟 🌭 🥪 🍝 🍣 🍗 🥩 🥗 🍞 🧀 🍎 🍌 🍉 🍓 🍫 🍰 🍪 🌱 🌹 🌻 🐶 🐱 ☀️ 🌙 🌧️ ⚡ 🌈"),
  signs: split("✅ ❌ ❗ ❓ ⚠️ 🚫 ➡️ ⬅️ ⬆️ ⬇️ 🔄 ➕ ➖ 💬 👁️ 🆗 🆕 🔴 🟡 🟢 🔵 ⚫ ⚪ 1️⃣ 2️⃣ 3️⃣ 4️⃣ 5️⃣ 🇧🇷"),
};
