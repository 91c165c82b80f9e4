namespace Lifecycle.Nurture.Mail;

/// <summary>What became of handing a mail over.</summary>
public enum SendOutcome
{
    /// <summary>The mail server took it.</summary>
    Accepted = 1,

    /// <summary>The mail server refuses this recipient for good.</summary>
    RecipientRefused = 2,

    /// <summary>The mail server refuses this mail for good.</summary>
    Refused = 3,

    /// <summary>Not now: the server says so, is out of reach, or fell silent.</summary>
    Deferred = 4,
}

/// <param name="Detail">The server's words, at most 500 characters.</param>
public sealed record SendResult(SendOutcome Outcome, string Detail);

/// <summary>One reply of a mail server (RFC 5321, 4.2).</summary>
internal readonly record struct SmtpReply(int Code, string Text)
{
    public bool IsPositive => Code is >= 200 and < 400;

    public bool IsPermanent => Code is >= 500 and < 600;
}
