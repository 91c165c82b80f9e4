namespace Lifecycle.Nurture.Features.QueryMetrics;

/// <summary>
/// What metrics group by: an expression of the group's name and the joins that it needs, over a mail <c>m</c> with its lead <c>l</c>, or
/// over a lead <c>l</c>. Groups go by name, as people know them.
/// </summary>
internal static class NurtureDimensions
{
    private const string ProgramName = "coalesce(p.display_name, '(none)')";
    private const string SegmentName = "coalesce(s.display_name, '(none)')";

    private const string InSegments =
        """
        left join segment_member sm on sm.workspace_id = l.workspace_id and sm.lead_id = l.lead_id
        left join segment s on s.workspace_id = sm.workspace_id and s.id = sm.segment_id
        """;

    /// <summary>Whether the dimension is one of the lead's first touch, which spend has too; totals are.</summary>
    public static bool IsOfFirstTouch(string? dimension) => dimension is null or "channel" or "source" or "medium" or "campaign";

    public static string OfFirstTouch(string? dimension) => dimension switch
    {
        "channel" => "coalesce(nullif(l.channel, ''), 'Unassigned')",
        "source" => "coalesce(nullif(l.source, ''), '(none)')",
        "medium" => "coalesce(nullif(l.medium, ''), '(none)')",
        "campaign" => "coalesce(nullif(l.campaign, ''), '(none)')",
        _ => "''",
    };

    /// <summary>A mail has one program, step and e-mail; it counts in each segment that its lead is in now.</summary>
    public static (string Expression, string Join) OfMail(string? dimension) => dimension switch
    {
        "program" => ("coalesce(p.display_name, m.program_id::text, '(none)')", MailProgram),
        "step" => ("coalesce(coalesce(p.display_name, m.program_id::text) || ' / ' || m.step_id, '(none)')", MailProgram),
        "email" =>
            ("coalesce(t.display_name, m.external_id, m.email_id::text, '(none)')",
                "left join email t on t.workspace_id = m.workspace_id and t.id = m.email_id"),
        "segment" => (SegmentName, InSegments),
        _ => (OfFirstTouch(dimension), ""),
    };

    /// <summary>A lead counts in each program, step, e-mail and segment. Leads that a program held out were not in it.</summary>
    public static (string Expression, string Join) OfLead(string? dimension) => dimension switch
    {
        "program" => (ProgramName,
            """
            left join lateral (
              select distinct e.program_id from enrollment e
              where e.workspace_id = l.workspace_id and e.lead_id = l.lead_id and e.state <> 'HELD_OUT') i on true
            left join program p on p.workspace_id = l.workspace_id and p.id = i.program_id
            """),
        "step" => ("coalesce(p.display_name || ' / ' || i.step_id, '(none)')",
            """
            left join lateral (
              select distinct e.program_id, v.step_id from enrollment e
              join step_visit v on v.workspace_id = e.workspace_id and v.enrollment_id = e.id
              where e.workspace_id = l.workspace_id and e.lead_id = l.lead_id) i on true
            left join program p on p.workspace_id = l.workspace_id and p.id = i.program_id
            """),
        "email" => ("coalesce(t.display_name, i.external_id, i.email_id::text, '(none)')",
            """
            left join lateral (
              select distinct m.email_id, m.external_id from message m
              where m.workspace_id = l.workspace_id and m.lead_id = l.lead_id and m.send_time is not null) i on true
            left join email t on t.workspace_id = l.workspace_id and t.id = i.email_id
            """),
        "segment" => (SegmentName, InSegments),
        _ => (OfFirstTouch(dimension), ""),
    };

    private const string MailProgram = "left join program p on p.workspace_id = m.workspace_id and p.id = m.program_id";
}
