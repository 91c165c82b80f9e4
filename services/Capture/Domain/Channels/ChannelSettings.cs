using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Capture.Domain.Channels;

/// <summary>A workspace's own rule; the first that holds decides, before the default rules.</summary>
/// <param name="Channel">Channel it assigns; may be a new name.</param>
/// <param name="Condition">Condition over <see cref="ChannelFacts.Catalog"/>.</param>
public sealed record CustomChannelRule(string Channel, string Condition);

/// <summary>How a workspace reads where visitors come from.</summary>
/// <param name="Version">Number of these settings, from 1; 0 for those nobody has set.</param>
/// <param name="Rules">In order; at most <see cref="MaxRules"/>.</param>
/// <param name="OwnDomains">Names whose pages, and those below them, are the workspace's own: coming from one is not a source.</param>
/// <param name="ExcludedReferrers">Names that never count as a source, with everything below them.</param>
/// <param name="PaymentAndLoginExcluded">Whether the known payment and login hosts are excluded too.</param>
/// <param name="AiAssistantChannel">Whether AI assistants are a channel of their own; else they are Referral.</param>
public sealed record ChannelSettings(
    int Version, IReadOnlyList<CustomChannelRule> Rules, IReadOnlyList<string> OwnDomains, IReadOnlyList<string> ExcludedReferrers,
    bool PaymentAndLoginExcluded, bool AiAssistantChannel)
{
    /// <summary>Most custom rules.</summary>
    public const int MaxRules = 100;

    /// <summary>Most own domains, and most excluded referrers.</summary>
    public const int MaxHosts = 500;

    private const int MaxName = 100;

    /// <summary>What holds for a workspace that has set nothing.</summary>
    public static ChannelSettings Default { get; } = new(0, [], [], [], true, true);

    /// <summary>
    /// Version of the rules that follow from these settings: that of the default rules, with that of these unless it is 0.
    /// </summary>
    public string RulesVersion(ChannelRules rules) => Version == 0 ? rules.Version : $"{rules.Version}/{Version}";

    /// <summary>Makes the reader that goes by these settings; the error names every fault.</summary>
    /// <param name="rules">Default rules.</param>
    /// <param name="path">Prefix of the fields in violations, e.g. <c>settings.</c>.</param>
    /// <param name="alsoExcluded">Further referrers that never count as a source.</param>
    public Result<SourceReader> Compile(ChannelRules rules, string path = "", IReadOnlyList<string>? alsoExcluded = null)
    {
        var violations = new Violations();
        violations.Require(
            Rules.Count <= MaxRules, $"{path}rules", $"{path}rules has {Rules.Count} entries; at most {MaxRules} are accepted.");
        var compiled = new List<(string Channel, Condition Condition)>();
        foreach (var (rule, index) in Rules.Take(MaxRules).Select((rule, index) => (rule, index)))
        {
            var field = $"{path}rules[{index}]";
            violations.RequireText(rule.Channel, $"{field}.channel", MaxName);
            violations.Require(
                rule.Channel is null || !rule.Channel.Contains('\0', StringComparison.Ordinal), $"{field}.channel",
                $"{field}.channel holds U+0000.");
            if (Condition.Parse(rule.Condition, ChannelFacts.Catalog, $"{field}.condition").TryGet(out var condition, out var error))
            {
                compiled.Add((rule.Channel?.Trim() ?? "", condition));
            }
            else
            {
                error.Violations.ToList().ForEach(violation => violations.Add(violation.Field, violation.Message));
            }
        }

        var (own, excluded) = (new HostTable<bool>(), new HostTable<bool>());
        AddHosts(own, OwnDomains, $"{path}ownDomains", violations);
        AddHosts(excluded, ExcludedReferrers, $"{path}excludedReferrers", violations);
        AddHosts(excluded, alsoExcluded ?? [], "alsoExcluded", violations);
        return violations.ToError() is { } fault
            ? fault
            : new SourceReader(
                rules, new ChannelClassifier(rules, AiAssistantChannel, compiled), own, excluded, PaymentAndLoginExcluded,
                RulesVersion(rules));
    }

    private static void AddHosts(HostTable<bool> table, IReadOnlyList<string> names, string field, Violations violations)
    {
        violations.Require(names.Count <= MaxHosts, field, $"{field} has {names.Count} entries; at most {MaxHosts} are accepted.");
        foreach (var (name, index) in names.Take(MaxHosts).Select((name, index) => (name, index)))
        {
            if (violations.Require(
                name is not null && Uri.CheckHostName(name.Trim()) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6
                    && HostName.Normal(name) is not null,
                $"{field}[{index}]",
                $"{field}[{index}] must be a host name such as pay.example.com, without scheme, port or path."))
            {
                table.Add(HostName.Normal(name)!, true);
            }
        }
    }
}
