"""boxless in Spark, by Arrow. python examples/batch/with_spark.py FOLDER (needs pyspark and Java)"""

import os
import sys
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from boxless.batch import Locate

if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # its workers take the first python3 they find otherwise
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    paths = [(str(path),) for path in sorted(Path(sys.argv[1]).absolute().glob("*.jpg"))]
    locate = Locate("image", preset="fast")
    schema = from_arrow_schema(pa.schema([("image", pa.string()), ("found", locate.type)]))
    found = spark.createDataFrame(paths, "image string").mapInArrow(locate.over, schema)
    for row in found.collect():
        print(Path(row["image"]).name, row["found"]["predictions"][0]["label"])
    spark.stop()
