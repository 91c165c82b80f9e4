Console.WriteLine("Lifecycle.Benchmarks");
