using System.Text.Json.Nodes;
using Lifecycle.Contracts;

namespace Scoring.IntegrationTests;

/// <summary>
/// A month in the life of some leads: visits, forms, e-mails, changing profiles, merges and an erasure, the same for a seed.
/// </summary>
internal sealed class Scenario
{
    private readonly Random random;
    private readonly DateTimeOffset start;

    public Scenario(int seed, Guid workspace, DateTimeOffset start, int leads, int activities, IReadOnlyList<Guid>? ids = null)
    {
        (random, this.start, Workspace) = (new(seed), start, workspace);
        Leads = ids ?? Enumerable.Range(0, leads).Select(_ => Guid.CreateVersion7()).ToArray();
        Events = [.. Profiles(), .. Happenings(activities), .. Identities()];
    }

    public Guid Workspace { get; }

    public IReadOnlyList<Guid> Leads { get; }

    /// <summary>In the order in which things happened.</summary>
    public IReadOnlyList<ILifecycleEvent> Events { get; }

    /// <summary>Merged away: the source lives on as the target.</summary>
    public Dictionary<Guid, Guid> Merged { get; } = [];

    public Guid Erased => Leads[^1];

    /// <summary>Every activity with the lead that did it.</summary>
    public List<ActivityInfo> Activities { get; } = [];

    /// <summary>A model with every kind of limit, decay and count.</summary>
    public static JsonObject Model(string scoreName, double pagePoints) => JsonNode.Parse(
        $$"""
        {"scoreName":"{{scoreName}}",
         "rules":[
           {"id":"page","name":"Page","category":"BEHAVIOR","points":{{pagePoints}},"condition":"activity.type = 'PAGE'","floor":0.5,"halfLife":"3d","expireAfter":"12d"},
           {"id":"pricing","name":"Pricing","category":"BEHAVIOR","points":6,"condition":"activity.path matches '^/pricing'","cap":12,"maxTimes":3,"window":"10d"},
           {"id":"download","name":"Download","category":"BEHAVIOR","points":9,"condition":"activity.type = 'DOWNLOAD' and count(activity.type = 'PAGE', 2d) >= 2","oncePer":"DAY"},
           {"id":"busy","name":"Busy","category":"BEHAVIOR","points":7,"condition":"count(true, 3d) >= 4"},
           {"id":"idle","name":"Idle","category":"BEHAVIOR","points":-8,"condition":"inactive(6d)"},
           {"id":"careers","name":"Careers","category":"BEHAVIOR","points":-11,"condition":"activity.path = '/careers'","halfLife":"1d"},
           {"id":"title","name":"Title","category":"FIT","points":20,"condition":"lead.title contains 'VP'"},
           {"id":"form","name":"Form","category":"BANT","points":15,"condition":"activity.type = 'FORM'","oncePer":"LEAD"}],
         "categoryCaps":{"behavior":60},"categoryHalfLives":{"behavior":"10d"},
         "thresholds":{"mql":40,"hot":60,"demote":20},"bands":[{"name":"LOW","min":0},{"name":"HIGH","min":40}]}
        """)!.AsObject();

    /// <summary>The same events with new ids, as from a sender that did not hear the answer.</summary>
    public static ILifecycleEvent Again(ILifecycleEvent e) => e switch
    {
        LeadCaptured captured => captured with { EventId = Guid.CreateVersion7() },
        LeadUpdated updated => updated with { EventId = Guid.CreateVersion7() },
        ActivitiesRecorded recorded => recorded with { EventId = Guid.CreateVersion7() },
        EmailEngaged engaged => engaged with { EventId = Guid.CreateVersion7() },
        LeadsMerged merged => merged with { EventId = Guid.CreateVersion7() },
        LeadErased erased => erased with { EventId = Guid.CreateVersion7() },
        _ => e,
    };

    /// <summary>The events for another workspace: nothing else differs.</summary>
    public static ILifecycleEvent For(Guid workspace, ILifecycleEvent e) => Again(e) switch
    {
        LeadCaptured captured => captured with { WorkspaceId = workspace },
        LeadUpdated updated => updated with { WorkspaceId = workspace },
        ActivitiesRecorded recorded => recorded with { WorkspaceId = workspace },
        EmailEngaged engaged => engaged with { WorkspaceId = workspace },
        LeadsMerged merged => merged with { WorkspaceId = workspace },
        LeadErased erased => erased with { WorkspaceId = workspace },
        var other => other,
    };

    /// <summary>Shuffled, with some twice.</summary>
    public IReadOnlyList<ILifecycleEvent> Deliveries(int seed)
    {
        var shuffler = new Random(seed);
        var deliveries = Events.Concat(Events.Where(_ => shuffler.Next(4) == 0))
            .Concat(Events.Where(_ => shuffler.Next(5) == 0).Select(Again)).ToArray();
        shuffler.Shuffle(deliveries);
        return deliveries;
    }

    private IEnumerable<ILifecycleEvent> Profiles()
    {
        foreach (var lead in Leads)
        {
            var known = Times.Micro(start.AddHours(random.Next(200)));
            yield return Given.Captured(Workspace, lead, known, title: random.Next(2) == 0 ? "VP Sales" : "Clerk");
            for (var version = 2; version <= 1 + random.Next(3); version++)
            {
                yield return Given.Updated(
                    Workspace, lead, known, Times.Micro(known.AddHours(10 * version)), version,
                    random.Next(2) == 0 ? "VP Marketing" : "Manager");
            }
        }
    }

    private List<ILifecycleEvent> Happenings(int count)
    {
        for (var number = 0; number < count; number++)
        {
            var (lead, time) = (Leads[random.Next(Leads.Count)], Times.Micro(start.AddSeconds(random.Next(28 * 86_400))));
            Activities.Add(random.Next(10) switch
            {
                0 => Given.Form(lead, time, "contact"),
                1 or 2 => Given.Download(lead, time),
                3 => Given.Page(lead, time, "/pricing/eu", Guid.CreateVersion7()),
                4 => Given.Page(lead, time, "/careers"),
                _ => Given.Page(lead, time, "/"),
            });
        }

        return [.. Activities.Chunk(7).Select(chunk => Given.Recorded(Workspace, chunk)), .. Leads.Select(lead =>
            Given.Engaged(Workspace, lead, Times.Micro(start.AddDays(random.Next(28))), "CLICK"))];
    }

    private IEnumerable<ILifecycleEvent> Identities()
    {
        // A chain: the first becomes the second, which becomes the third; and a pair.
        foreach (var (source, target) in new[] { (0, 1), (1, 2), (3, 4) })
        {
            Merged[Leads[source]] = Leads[target];
            yield return Given.Merged(Workspace, Leads[source], Leads[target], Times.Micro(start.AddDays(29)));
        }

        yield return Given.Erased(Workspace, Erased, Times.Micro(start.AddDays(29)));
    }
}
