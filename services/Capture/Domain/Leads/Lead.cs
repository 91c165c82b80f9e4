using System.Globalization;

namespace Lifecycle.Capture.Domain.Leads;

/// <summary>Where a lead came from at one time.</summary>
/// <param name="Time">Start of the session, or the create time of an import.</param>
/// <param name="SessionId">Null for an import.</param>
public sealed record Touch(
    string Channel, string? Source, string? Medium, string? Campaign, string? Keyword, string? LandingPage, string? ClickId,
    DateTimeOffset Time, Guid? SessionId)
{
    /// <summary>Whether the sender named the channel itself: no rule assigns it then.</summary>
    public bool IsChannelTold { get; init; }

    /// <summary>What a touch told by a message without a device was read from; null for those of sessions, imports and API calls.</summary>
    public Channels.EvidenceKind? Evidence { get; init; }

    /// <summary>Host of the page before, with <see cref="Evidence"/>: rules that change later need it.</summary>
    public string? ReferrerHost { get; init; }

    /// <summary>A touch told by a message without a device.</summary>
    public static Touch Told(Channels.TrafficSource source, string? page, DateTimeOffset time) =>
        new(source.Channel, source.Source, source.Medium, source.Campaign, source.Keyword, page, source.ClickId, time, null)
        {
            Evidence = source.Kind,
            ReferrerHost = source.ReferrerHost,
        };

    /// <summary>With its channel: the one told (an empty one is none), else by the rules.</summary>
    public Touch Classified(Channels.ChannelClassifier channels) => Channel.Length > 0
        ? this with { IsChannelTold = true }
        : this with { Channel = channels.Classify(Facts) };

    /// <summary>As the rules of now read it; a channel that the sender named stays.</summary>
    public Touch Reclassified(Channels.SourceReader sources)
    {
        if (Evidence is not { } kind)
        {
            return IsChannelTold ? this : this with { Channel = sources.Channels.Classify(Facts) };
        }

        var read = sources.Reread(
            new(kind, Channel, Source, Medium, Campaign, Keyword, ClickId) { ReferrerHost = ReferrerHost }, LandingPage);
        return this with { Channel = read.Channel, Source = read.Source, Medium = read.Medium, Evidence = read.Kind };
    }

    private Channels.ChannelFacts Facts => new(Source, Medium, Campaign, Keyword, null, LandingPage, ClickId);
}

/// <summary>The company of a lead; any part may be unknown.</summary>
public sealed record Company(string? Name, string? Domain, string? Industry, int? Employees, decimal? AnnualRevenue, string? Country);

/// <summary>
/// A known person. Everything here is a function of the set of facts told, not of their order: the create time is the earliest, the capture
/// type that of the occasion that tells best, and of two values for the same thing the later holds.
/// </summary>
public sealed class Lead
{
    private const string EmailKey = "email";
    private const string ExternalIdKey = "externalId";

    public required Guid Id { get; init; }

    /// <summary>Increases with each published change; 0 before the first.</summary>
    public long Version { get; set; }

    /// <summary>Latest e-mail told, normalised.</summary>
    public string? Email => Own.Text(EmailKey);

    /// <summary>Latest external id told.</summary>
    public string? ExternalId => Own.Text(ExternalIdKey);

    /// <summary>Stage as Conversion decided it.</summary>
    public string Stage { get; init; } = "LEAD";

    /// <summary>Earliest occasion on which the person was known.</summary>
    public required DateTimeOffset CreateTime { get; set; }

    /// <summary>Occasion that tells how the person became known.</summary>
    public required CaptureEvidence Capture { get; set; }

    /// <summary>Traits and company, told by messages and requests that name the person.</summary>
    public Profile Profile { get; init; } = new();

    /// <summary>
    /// Traits and company told by messages that name nobody, on a device while it was the person's. They go with the activity: when it
    /// turns out to be another's, they leave.
    /// </summary>
    public Profile Observed { get; private set; } = new();

    /// <summary>All that is known: of <see cref="Profile"/> and <see cref="Observed"/> the later.</summary>
    public Profile Known => Observed.Values.Count == 0 ? Profile : Profile.Union(Profile, Observed);

    /// <summary>E-mail and external id with their times.</summary>
    public Profile Own { get; init; } = new();

    /// <summary>Where an import or an API call said the person came from.</summary>
    public Touch? ToldTouch { get; set; }

    public Touch? FirstTouch { get; set; }

    public Touch? LastTouch { get; set; }

    /// <summary>Changes since it was loaded of anything that is published.</summary>
    public int Changes { get; private set; }

    /// <summary>Whether anything that is published changed since it was loaded.</summary>
    public bool Changed => Changes > 0;

    /// <summary>Whether anything is to be stored.</summary>
    public bool Dirty => Changed || Profile.Dirty || Own.Dirty || Observed.Dirty;

    /// <summary>Latest time of the facts that changed it; the time of the event that tells of the change.</summary>
    public DateTimeOffset ChangeTime { get; private set; }

    /// <summary>A lead for a person first named on this occasion.</summary>
    public static Lead Begin(Guid id, CaptureEvidence capture) =>
        new() { Id = id, CreateTime = capture.Time, Capture = capture, Changes = 1, ChangeTime = capture.Time };

    public void Captured(CaptureEvidence evidence)
    {
        if (evidence.Time < CreateTime)
        {
            CreateTime = evidence.Time;
            Note(evidence.Time);
        }

        if (evidence.Precedes(Capture))
        {
            Capture = evidence;
            Note(evidence.Time);
        }
    }

    public void Named(string? email, string? externalId, DateTimeOffset time)
    {
        if ((email is not null && Own.Set(EmailKey, Profile.Json(email), time)) | (externalId is not null
            && Own.Set(ExternalIdKey, Profile.Json(externalId), time)))
        {
            Note(time);
        }
    }

    /// <summary>Takes one trait, or part of the company, as JSON.</summary>
    public void Told(string key, string json, DateTimeOffset time)
    {
        if (Profile.Set(key, json, time))
        {
            Note(time);
        }
    }

    /// <summary>Takes what messages that name nobody told, in place of what they had told before.</summary>
    public void Observe(Profile observed)
    {
        var changed = observed.Values.Where(pair => !Observed.Values.TryGetValue(pair.Key, out var held) || held != pair.Value)
            .Select(pair => pair.Value.Time)
            .Concat(Observed.Values.Where(pair => !observed.Values.ContainsKey(pair.Key)).Select(pair => pair.Value.Time)).ToArray();
        if (changed.Length > 0)
        {
            Observed = observed;
            Note(changed.Max());
        }
    }

    /// <summary>Restores a stored lead's <see cref="Observed"/>.</summary>
    public Lead WithObserved(Profile observed)
    {
        Observed = observed;
        return this;
    }

    /// <summary>Takes where an import or API call said the person came from; the earlier holds.</summary>
    public void CameFrom(Touch touch)
    {
        if (ToldTouch is null || touch.Time < ToldTouch.Time)
        {
            ToldTouch = touch;
            Note(touch.Time);
        }
    }

    /// <summary>Reads the told touch anew.</summary>
    public void Reclassify(Channels.SourceReader sources)
    {
        if (ToldTouch?.Reclassified(sources) is { } touch && touch != ToldTouch)
        {
            ToldTouch = touch;
            Note(touch.Time);
        }
    }

    /// <summary>Sets first and last touch from the sessions' own and the one told.</summary>
    public void Touched(Touch? firstSession, Touch? lastSession, DateTimeOffset time)
    {
        var told = ToldTouch;
        var first = firstSession is null || told?.Time < firstSession.Time ? told ?? firstSession : firstSession;
        var last = lastSession is null || told?.Time > lastSession.Time ? told ?? lastSession : lastSession;
        if (first != FirstTouch || last != LastTouch)
        {
            (FirstTouch, LastTouch) = (first, last);
            Note(time);
        }
    }

    /// <summary>Takes over all that is known of a lead that proved to be the same person.</summary>
    public void Absorb(Lead source, DateTimeOffset time)
    {
        CreateTime = source.CreateTime < CreateTime ? source.CreateTime : CreateTime;
        Captured(source.Capture);
        Own.Merge(source.Own);
        Profile.Merge(source.Profile);
        Observed = Profile.Union(Observed, source.Observed);
        if (source.ToldTouch is { } touch)
        {
            CameFrom(touch);
        }

        Note(time);
    }

    /// <summary>
    /// <paramref name="now"/>, or just after the latest thing told where that lies ahead (senders' clocks may): what is set by hand holds.
    /// </summary>
    public DateTimeOffset TimeToSet(DateTimeOffset now)
    {
        var latest = Known.Values.Values.Concat(Own.Values.Values).Select(value => value.Time).DefaultIfEmpty(now).Max();
        return latest < now ? now : latest.AddTicks(TimeSpan.TicksPerMicrosecond);
    }

    /// <summary>First touch; what an unknown origin reads like when there is none.</summary>
    public Touch FirstTouchOrUnknown => FirstTouch ?? Unknown;

    /// <summary>Last touch, likewise.</summary>
    public Touch LastTouchOrUnknown => LastTouch ?? Unknown;

    /// <summary>The company; null when nothing is known of it.</summary>
    public Company? CompanyOrNull()
    {
        var known = Known;
        var (name, domain, industry) = (known.Text("company.name"), known.Text("company.domain"), known.Text("company.industry"));
        var employees = Profile.Number(known.Text("company.employees"));
        var revenue = Decimal(known.Text("company.annualRevenue"));
        var country = known.Text("company.country");
        return name is null && domain is null && industry is null && employees is null && revenue is null && country is null
            ? null
            : new(name, domain, industry, employees is null ? null : (int)Math.Min(employees.Value, int.MaxValue), revenue, country);
    }

    private Touch Unknown => new(Channels.ChannelNames.Unassigned, null, null, null, null, null, null, CreateTime, null);

    private static decimal? Decimal(string? text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : Profile.Number(text);

    private void Note(DateTimeOffset time)
    {
        Changes++;
        ChangeTime = time > ChangeTime ? time : ChangeTime;
    }
}
