using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Mail;

/// <summary>
/// Where mail is handed over: <c>smtp://host:port</c>, <c>smtp://user:password@host:587</c>, or <c>smtps://…</c> for TLS from the first
/// byte.
/// </summary>
public sealed record SmtpAddress(string Host, int Port, bool ImplicitTls, string? UserName, string? Password)
{
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
}
