namespace Lifecycle.Nurture.Storage;

/// <summary>How a workspace sends; without a row, as the process is set up to.</summary>
public sealed class MailSettingsRow
{
    public required Guid WorkspaceId { get; init; }

    public string FromName { get; set; } = "";

    public string FromAddress { get; set; } = "";

    public string ReplyTo { get; set; } = "";

    /// <summary>Envelope sender, to which mail servers report what they could not deliver.</summary>
    public string BounceAddress { get; set; } = "";

    /// <summary>Empty: the process's mail server.</summary>
    public string RelayHost { get; set; } = "";

    public int RelayPort { get; set; }

    /// <summary>Name of <see cref="Mail.TlsMode"/>.</summary>
    public string RelayTls { get; set; } = "";

    public string RelayUser { get; set; } = "";

    /// <summary>Sealed.</summary>
    public string RelayPassword { get; set; } = "";

    /// <summary>PEM of the one authority or certificate that the relay's is held against; empty: the system's authorities.</summary>
    public string RelayCertificate { get; set; } = "";

    /// <summary>Mails a minute to one domain that <see cref="DomainLimits"/> does not name; 0: no limit.</summary>
    public int PerMinute { get; set; }

    /// <summary>JSON object: domain → mails a minute.</summary>
    public string DomainLimits { get; set; } = "{}";

    /// <summary>Soft bounces within 30 days after which an address is suppressed.</summary>
    public int SoftBounceLimit { get; set; } = 5;

    public DateTimeOffset UpdateTime { get; set; }
}

/// <summary>A key that mails of one sender domain are signed with.</summary>
public sealed class DkimKeyRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string Domain { get; init; }

    public required string Selector { get; init; }

    /// <summary>PKCS#8, base64, sealed.</summary>
    public required string PrivateKey { get; init; }

    public required string DnsRecord { get; init; }

    /// <summary>Mails are signed with it; of a domain's keys one at most.</summary>
    public bool Active { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>When a limited domain takes its next mail.</summary>
public sealed class DomainPaceRow
{
    public required Guid WorkspaceId { get; init; }

    public required string Domain { get; init; }

    public required DateTimeOffset NextTime { get; set; }
}
