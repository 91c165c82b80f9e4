using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Leads that entered a stage within a point, each once.</summary>
public sealed class EntryCount
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    /// <summary>Number of the stage.</summary>
    public short Number { get; init; }

    public string Stage => ((Stage)Number).Name();

    public long Entered { get; init; }

    /// <summary>Of these, not from CHURNED at their first entry in the point.</summary>
    public long Fresh { get; init; }

    /// <summary>Of these, reached a later stage of the funnel since.</summary>
    public long WentOn { get; init; }

    /// <summary>Of these, became customers since.</summary>
    public long Bought { get; init; }

    /// <summary>Entries that were hand-backs by sales; a lead that came back twice counts twice.</summary>
    public long Returned { get; init; }
}

/// <summary>New leads within a point.</summary>
public sealed class LeadCount
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    public long Leads { get; init; }

    public long Forms { get; init; }

    public long Calls { get; init; }

    public long Chats { get; init; }
}

/// <summary>Deals within a point.</summary>
public sealed class DealCount
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    public long Opened { get; init; }

    public long Won { get; init; }

    public long Lost { get; init; }

    public decimal Bookings { get; init; }

    /// <summary>Days from opening to closing, of all won deals together.</summary>
    public double CycleDays { get; init; }

    /// <summary>Open when the period began; told with the first point.</summary>
    public long OpenBefore { get; init; }

    /// <summary>Open when the point ended.</summary>
    public long Open { get; set; }

    /// <summary>Bookings within a year of the creation of the leads that were new in the point (of the deal, where it has no
    /// lead).</summary>
    public decimal YearBookings { get; init; }
}

/// <summary>Spend within a point.</summary>
public sealed class SpendSum
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    public decimal Amount { get; init; }

    public long Clicks { get; init; }
}
