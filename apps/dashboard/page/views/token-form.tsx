interface TokenFormProps {
  readonly notice: string | null;
  readonly onToken: (token: string) => void;
}

/** Asks for the token once; the browser then keeps a cookie that scripts cannot read. */
export function TokenForm({ notice, onToken }: TokenFormProps) {
  return (
    <form
      class="token"
      aria-labelledby="token-title"
      onSubmit={(event) => {
        event.preventDefault();
        const token = new FormData(event.currentTarget).get("token");
        if (typeof token === "string" && token !== "") onToken(token);
      }}
    >
      <h2 id="token-title">This flow needs a token</h2>
      <p>It is the value of MILLRACE_HTTP_TOKEN where the flow runs. This browser is asked once.</p>
      <label for="token">Token</label>
      <input
        id="token"
        name="token"
        type="password"
        autocomplete="current-password"
        required
        autofocus
        aria-describedby={notice === null ? undefined : "token-notice"}
        aria-invalid={notice !== null}
      />
      {notice !== null && (
        <p id="token-notice" class="token-notice" role="alert">
          {notice}
        </p>
      )}
      <button type="submit" class="primary">
        Show the flow
      </button>
    </form>
  );
}
