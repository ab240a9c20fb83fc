// Passkeys. A form with data-passkey="create" or "get" runs the browser's ceremony before it is sent, and sends the
// outcome in its [data-passkey-credential]; until this script runs, its [data-passkey-go] is disabled. Options lie in
// the JSON element named by data-passkey-options, or behind data-passkey-options-url. A [data-passkey-strong] box that
// is ticked asks for a passkey that signs in by itself.
(() => {
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  const toText = (buffer) => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const withBytes = (descriptors = []) => descriptors.map((one) => ({ ...one, id: toBytes(one.id) }));

  const SORRY = {
    NotAllowedError: "The passkey was not used: cancelled, timed out, or there is none for this console on this device.",
    InvalidStateError: "This device has a passkey for your account already.",
    SecurityError: "Passkeys need https, or localhost, and a name instead of an IP address.",
    NotSupportedError: "This device has no passkey of the kind that is asked for.",
  };

  async function optionsOf(form) {
    const { passkeyOptions, passkeyOptionsUrl } = form.dataset;
    if (passkeyOptions) return JSON.parse(document.getElementById(passkeyOptions).textContent);
    const response = await fetch(passkeyOptionsUrl, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error("The console did not answer. Try again.");
    return response.json();
  }

  async function create(form, { creation_options: { publicKey } }) {
    const isStrong = form.querySelector("[data-passkey-strong]")?.checked;
    const selection = { ...publicKey.authenticatorSelection, residentKey: isStrong ? "required" : "discouraged", requireResidentKey: Boolean(isStrong) };
    if (isStrong) selection.userVerification = "required";
    const made = await navigator.credentials.create({ publicKey: {
      ...publicKey,
      challenge: toBytes(publicKey.challenge),
      user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
      authenticatorSelection: selection,
    } });
    const { clientDataJSON, attestationObject } = made.response;
    return told(made, { clientDataJSON: toText(clientDataJSON), attestationObject: toText(attestationObject), transports: made.response.getTransports?.() ?? [] });
  }

  async function get(form, { request_options: { publicKey } }) {
    const used = await navigator.credentials.get({ publicKey: { ...publicKey, challenge: toBytes(publicKey.challenge), allowCredentials: withBytes(publicKey.allowCredentials) } });
    const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
    return told(used, { clientDataJSON: toText(clientDataJSON), authenticatorData: toText(authenticatorData), signature: toText(signature), userHandle: toText(userHandle) });
  }

  const told = (credential, response) => ({
    id: credential.id, rawId: toText(credential.rawId), type: credential.type, response,
    authenticatorAttachment: credential.authenticatorAttachment, clientExtensionResults: credential.getClientExtensionResults(),
  });

  for (const button of document.querySelectorAll("[data-passkey-go]")) button.disabled = false;

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-passkey]");
    if (!form) return;
    event.preventDefault();
    const sorry = form.querySelector("[data-passkey-error]");
    sorry.hidden = true;
    try {
      if (!window.PublicKeyCredential) throw Object.assign(new Error(), { name: "SecurityError" });
      const ceremony = form.dataset.passkey === "create" ? create : get;
      form.querySelector("[data-passkey-credential]").value = JSON.stringify(await ceremony(form, await optionsOf(form)));
      form.submit();
    } catch (error) {
      sorry.textContent = SORRY[error.name] ?? error.message;
      sorry.hidden = false;
    }
  });
})();
