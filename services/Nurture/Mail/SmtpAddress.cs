using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Mail;

/// <summary>How a conversation with a mail server is kept from others' eyes.</summary>
public enum TlsMode
{
    /// <summary>TLS where the server offers STARTTLS.</summary>
    Opportunistic = 0,

    /// <summary>No TLS.</summary>
    None = 1,

    /// <summary>STARTTLS (RFC 3207), or no mail.</summary>
    Starttls = 2,

    /// <summary>TLS from the first byte (RFC 8314).</summary>
    Implicit = 3,
}

/// <summary>
/// Where mail is handed over: <c>smtp://host:port</c>, <c>smtp://user:password@host:587</c>, or <c>smtps://…</c> for TLS from the first
/// byte.
/// </summary>
public sealed record SmtpAddress(string Host, int Port, bool ImplicitTls, string? UserName, string? Password)
{
    /// <summary>How it is kept from others' eyes.</summary>
    public TlsMode Tls { get; init; } = ImplicitTls ? TlsMode.Implicit : TlsMode.Opportunistic;

    /// <summary>PEM of the one authority or certificate that the server's is held against; null: the system's authorities.</summary>
    public string? TrustedCertificate { get; init; }

    /// <summary>A user named it: private addresses are refused unless the operator allows them.</summary>
    public bool IsForeign { get; init; }

    public static Result<SmtpAddress> Parse(string? text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("smtp" or "smtps") || uri.Host.Length == 0)
        {
            return Error.Invalid(
                "ConnectionStrings:mail", "ConnectionStrings:mail must be smtp://host:port or smtps://user:password@host:port.");
        }

        var tls = uri.Scheme == "smtps";
        var user = uri.UserInfo.Split(':', 2);
        return new SmtpAddress(
            uri.Host,
            uri.Port > 0 ? uri.Port : tls ? 465 : 25,
            tls,
            user[0].Length == 0 ? null : Uri.UnescapeDataString(user[0]),
            user.Length == 2 ? Uri.UnescapeDataString(user[1]) : null);
    }

    /// <summary>Without user and password: it may be written to a log.</summary>
    public override string ToString() => $"{Host}:{Port}";
}
