namespace Piccolo.Core.Apps.Manifest.Notation;

/// <summary>What somebody meant who wrote a name that is not known.</summary>
internal static class NearestName
{
    private const int MaxLength = 40;

    /// <returns>The known name that is at most two slips away (one where the name is short), or null.</returns>
    public static string? Of(string name, IEnumerable<string> known)
    {
        if (name.Length is 0 or > MaxLength) return null;
        var plain = Plain(name);
        var limit = plain.Length < 5 ? 1 : 2;
        return known.Select(k => (Name: k, Slips: Math.Abs(k.Length - name.Length) > limit + 2 ? int.MaxValue : Distance(plain, Plain(k))))
            .Where(k => k.Slips <= limit).OrderBy(k => k.Slips).Select(k => k.Name).FirstOrDefault();
    }

    // guestPort and guest-port are no slips.
    private static string Plain(string name) => new([.. name.Where(c => c is not ('-' or '_')).Select(char.ToLowerInvariant)]);

    /// <summary>How many characters must be added, left out, replaced, or swapped with their neighbour.</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        return rows[a.Length, b.Length];
    }
}
